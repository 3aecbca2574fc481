//! Packed chunks of symcache files.

use proptest::prelude::*;
use symcache::chunk::{Layout, append_checksums, pack, unpack};
use symcache::trailer::{PAGE, page_checksum};

/// A file of any length, whose header has plausible counts.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let counts = [0u32..40, 0..40, 0..200, 0..200, 0..400];
    let word = prop_oneof![Just(u32::MAX), 0u32..6, 0u32..3000, any::<u32>()];
    (counts, prop::collection::vec(word, 20..2000), 0usize..4).prop_map(|(counts, mut words, cut)| {
        words[11..16].copy_from_slice(&counts);
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(bytes.len() - cut);
        bytes
    })
}

proptest! {
    #[test]
    fn unpacks_the_bytes_that_were_packed(file in file(), chunk in 1usize..3000) {
        let layout = Layout::of(&file);
        for (index, bytes) in file.chunks(chunk).enumerate() {
            let at = (index * chunk) as u64;
            let mut packed = Vec::new();
            pack(&layout, at, bytes, &mut packed);
            let mut unpacked = vec![0; bytes.len()];
            prop_assert_eq!(unpack(&layout, at, &packed, &mut unpacked), Ok(()));
            prop_assert_eq!(unpacked, bytes);
            // A missing or an additional byte is an error.
            let mut other = vec![0; bytes.len()];
            prop_assert!(unpack(&layout, at, &packed[..packed.len() - 1], &mut other).is_err());
            packed.push(0);
            prop_assert!(unpack(&layout, at, &packed, &mut other).is_err());
        }
    }

    #[test]
    fn unpacks_or_rejects_any_bytes(file in file(), at in any::<u32>(), packed in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut chunk = vec![0; 2000];
        let _ = unpack(&Layout::of(&file), u64::from(at) % 8000, &packed, &mut chunk);
        let mut same = vec![0; packed.len()];
        let _ = unpack(&Layout::of(&packed), 0, &packed, &mut same);
    }
}

#[test]
fn computes_the_checksums_of_the_trailer() {
    let mut file = vec![7; 3 * PAGE];
    file[44..60].fill(0);
    let strings = 2 * PAGE as u32 + 100 - 80;
    file[60..64].copy_from_slice(&strings.to_le_bytes());
    let layout = Layout::of(&file);
    let payload = (80 + strings as usize).next_multiple_of(8);
    let mut checksums = Vec::new();
    for (index, chunk) in file.chunks(2 * PAGE).enumerate() {
        append_checksums(&layout, (index * 2 * PAGE) as u64, chunk, &mut checksums);
    }
    let expected: Vec<u8> = file[..payload]
        .chunks(PAGE)
        .enumerate()
        .flat_map(|(index, page)| page_checksum(page, index).to_le_bytes())
        .collect();
    assert_eq!(checksums, expected);
}
