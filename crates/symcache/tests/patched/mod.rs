//! A small symcache file to change, with valid checksums.

use std::sync::LazyLock;

use symcache::trailer::{PAGE, Trailer, page_checksum};

use crate::oracle::convert;

/// The debug id of the sample.
pub const DEBUG_ID: &str = "000000000000000000000000000000010";

/// Two files, a function with nested inline calls, and a public symbol.
pub fn sample() -> Vec<u8> {
    SAMPLE.clone()
}

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = "MODULE Linux x86_64 000000000000000000000000000000010 a.so
FILE 0 src/a.c
FILE 1 b.c
INLINE_ORIGIN 0 callee
INLINE_ORIGIN 1 innermost
FUNC 10 20 0 caller
INLINE 0 21 0 0 18 8
INLINE 1 31 1 1 1c 4
10 8 20 0
18 8 5 1
20 10 22 0
PUBLIC 40 0 symbol
";
    convert("a.so", DEBUG_ID, text.as_bytes(), &[1000]).unwrap()
});

/// Start of each section, as `symbolic-symcache` computes it.
pub struct Sections {
    pub files: usize,
    pub functions: usize,
    pub locations: usize,
    pub ranges: usize,
    pub strings: usize,
}

impl Sections {
    fn of(payload: &[u8]) -> Self {
        let [files, functions, locations, ranges] = [44, 48, 52, 56].map(|at| word(payload, at) as usize);
        let functions_at = 80 + 24 * files;
        let locations_at = functions_at + 16 * functions;
        let ranges_at = locations_at + 16 * locations;
        Self {
            files: 80,
            functions: functions_at,
            locations: locations_at,
            ranges: ranges_at,
            strings: (ranges_at + 4 * ranges).next_multiple_of(8),
        }
    }
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().unwrap())
}

pub fn set_word(bytes: &mut [u8], at: usize, word: u32) {
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// The sample with a changed payload and valid checksums.
pub fn patched(change: impl FnOnce(&mut Vec<u8>, &Sections)) -> Vec<u8> {
    let file = sample();
    let mut trailer = Trailer::read(file.len() as u64, |into, offset| {
        into.copy_from_slice(&file[offset as usize..][..into.len()]);
        Ok(())
    })
    .unwrap();
    let mut payload = file[..trailer.payload_length as usize].to_vec();
    let sections = Sections::of(&payload);
    change(&mut payload, &sections);
    trailer.payload_length = payload.len() as u64;
    trailer.pages = payload.chunks(PAGE).enumerate().map(|(index, page)| page_checksum(page, index)).collect();
    payload.extend(trailer.to_bytes());
    payload
}
