//! Symbolic as the oracle, used like in Mozilla's Eliot.

#![allow(dead_code, reason = "each test uses some of it")]

use std::cell::RefCell;
use std::rc::Rc;

use symbolic_debuginfo::breakpad::BreakpadObject;
use symbolic_symcache::{SymCache, SymCacheConverter};
use symcache::checksum::checksum;
use symcache::trailer::{PAGE, SAMPLE_EVERY, Trailer};
use symcache::{Converter, Damaged, Locations, PageCache, Reason, Symcache};

/// Converts a sym file with Symbolic.
pub fn symbolic_convert(debug_id: &str, text: &[u8]) -> Result<Vec<u8>, Reason> {
    let debug_id = debug_id.parse().map_err(|_| Reason::BadDebugId)?;
    if !BreakpadObject::test(text) {
        return Err(Reason::NotASymFile);
    }
    let object = BreakpadObject::parse(text).map_err(|_| Reason::Malformed)?;
    if object.debug_id() != debug_id {
        return Err(Reason::OtherDebugId);
    }
    let mut converter = SymCacheConverter::new();
    converter.process_object(&object).map_err(|_| Reason::Malformed)?;
    let mut symcache = Vec::new();
    converter.serialize(&mut symcache).unwrap();
    Ok(symcache)
}

/// A source location: function, file, line, and the function's start address.
type Row = (String, String, u32, u32);

/// Looks up an offset with Symbolic. The line is 0 if there is no file.
pub fn symbolic_look_up(symcache: &SymCache, offset: u32) -> Vec<Row> {
    symcache
        .lookup(u64::from(offset))
        .map(|location| {
            let file = location.file().map_or(String::new(), |file| file.full_path());
            let line = if file.is_empty() { 0 } else { location.line() };
            (location.function().name().to_owned(), file, line, location.function().entry_pc())
        })
        .collect()
}

/// The start address of each range of a symcache.
pub fn range_starts(symcache: &[u8]) -> Vec<u32> {
    let integer = |at: usize| u32::from_le_bytes(*symcache[at..at + 4].as_array().unwrap());
    let [files, functions, locations, ranges] = [44, 48, 52, 56].map(|at| integer(at) as usize);
    let ranges_at = 80 + 24 * files + 16 * functions + 16 * locations;
    (0..ranges).map(|i| integer(ranges_at + 4 * i)).collect()
}

/// Each start, the offsets next to it, and both ends of the address space.
pub fn offsets_of_interest(starts: &[u32]) -> Vec<u32> {
    let mut offsets: Vec<u32> =
        starts.iter().flat_map(|start| [start.saturating_sub(1), *start, start.saturating_add(1)]).collect();
    offsets.extend([0, 1, u32::MAX - 1, u32::MAX]);
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// The edges and a random offset after each of them, in random order that only depends on the sym file.
fn offsets_to_look_up(edges: &[u32], text: &[u8]) -> Vec<u32> {
    let seed = checksum(text, 0);
    let random = |number: u32| checksum(&number.to_le_bytes(), seed);
    let mut offsets = edges.to_vec();
    offsets.extend(edges.windows(2).map(|pair| pair[0] + (random(pair[0]) % u64::from(pair[1] - pair[0])) as u32));
    offsets.sort_by_cached_key(|offset| random(!offset));
    offsets
}

/// The module's name for responses, by Eliot's rule: the last of four words of the first `INFO` line, if that is a `CODE_ID`
/// before all `FILE`, `PUBLIC` and `FUNC` lines.
pub fn module_name(debug_filename: &str, text: &[u8]) -> String {
    let whole_lines = &text[..text.iter().rposition(|byte| *byte == b'\n').unwrap_or_default()];
    let deciding = whole_lines
        .split(|byte| *byte == b'\n')
        .find(|line| ["INFO", "FILE", "PUBLIC", "FUNC"].iter().any(|record| line.starts_with(record.as_bytes())));
    let words: Vec<&[u8]> = deciding.unwrap_or_default().split(|byte| *byte == b' ').collect();
    let name = match words[..] {
        [b"INFO", b"CODE_ID", _, name] => str::from_utf8(name).unwrap_or_default().trim(),
        _ => "",
    };
    if (1..=255).contains(&name.len()) { name.to_owned() } else { debug_filename.to_owned() }
}

/// Converts a sym file in chunks of these lengths, repeatedly.
pub fn convert(debug_filename: &str, debug_id: &str, mut text: &[u8], pieces: &[usize]) -> Result<Vec<u8>, Reason> {
    let mut convert = || -> Result<_, symcache::ConversionError> {
        let mut converter = Converter::new(debug_filename, debug_id, &[0; 16])?;
        for piece in pieces.iter().cycle() {
            if text.is_empty() {
                break;
            }
            let (chunk, rest) = text.split_at(text.len().min(*piece));
            converter.push(chunk)?;
            text = rest;
        }
        Ok(converter.finish()?.to_bytes())
    };
    convert().map_err(|error| error.reason)
}

/// Opens a symcache file in memory, with a page cache of this size, or of the file's size if that is less: clearing an
/// empty cache of 12 MiB takes longer than a small test.
pub fn open(file: Vec<u8>, debug_filename: &str, debug_id: &str, pages: usize) -> Result<Symcache, Damaged> {
    let size = file.len() as u64;
    let cache = Rc::new(RefCell::new(PageCache::new(pages.min(file.len().div_ceil(PAGE)))));
    Symcache::open(read_from(file), size, debug_filename, debug_id, &cache)
}

/// Opens a symcache file and reads it ahead, in slices of this many pages.
pub fn read_ahead(file: &[u8], debug_filename: &str, debug_id: &str, pages: usize) -> Result<Symcache, Damaged> {
    // Room for all pages, but no more: the cache allocates 12 MiB at once if it may.
    let mut symcache = open(file.to_vec(), debug_filename, debug_id, file.len().div_ceil(PAGE))?;
    for _ in 0..symcache.checksums().len().div_ceil(pages) - 1 {
        assert!(!symcache.read_ahead(pages)?);
    }
    assert!(symcache.read_ahead(pages)?);
    Ok(symcache)
}

/// The trailer of a symcache file.
pub fn trailer(file: &[u8]) -> Trailer {
    Trailer::read(file.len() as u64, |into, offset| {
        into.copy_from_slice(&file[offset as usize..][..into.len()]);
        Ok(())
    })
    .unwrap()
}

/// A `read_at` over bytes in memory.
pub fn read_from(file: Vec<u8>) -> symcache::ReadAt {
    Box::new(move |into, offset| {
        let rest = file.get(offset as usize..).unwrap_or_default();
        let length = into.len().min(rest.len());
        into[..length].copy_from_slice(&rest[..length]);
        Some(length)
    })
}

/// Asserts that conversion and lookup have Symbolic's results for a sym file that arrives in chunks of these lengths,
/// repeatedly.
pub fn assert_equal_to_symbolic(debug_filename: &str, debug_id: &str, text: &[u8], pieces: &[usize]) {
    let context = format!("{debug_filename}/{debug_id} in chunks of {pieces:?}");
    let ours = convert(debug_filename, debug_id, text, pieces);
    let theirs = match (&ours, symbolic_convert(debug_id, text)) {
        (Ok(_), Ok(theirs)) => theirs,
        (ours, theirs) => {
            assert_eq!(ours.as_ref().err(), theirs.as_ref().err(), "{context}");
            return;
        }
    };
    let ours = ours.unwrap();
    let mut starts = range_starts(&ours);
    assert!(starts.is_sorted_by(|a, b| a < b), "{context}: ranges out of order");
    let samples: Vec<u32> = starts.iter().copied().step_by(SAMPLE_EVERY).collect();
    assert_eq!(trailer(&ours).samples, samples, "{context}: sparse index");
    starts.extend(range_starts(&theirs));
    let offsets = offsets_to_look_up(&offsets_of_interest(&starts), text);

    let aligned = symbolic_common::ByteView::from_vec(ours.clone());
    let through_symbolic = SymCache::parse(&aligned).unwrap();
    let theirs = SymCache::parse(&theirs).unwrap();
    assert_eq!(through_symbolic.arch(), theirs.arch());
    assert_eq!(through_symbolic.debug_id(), theirs.debug_id());

    let mut symcache = open(ours.clone(), debug_filename, debug_id, 4).unwrap();
    assert_eq!(symcache.module_name(), module_name(debug_filename, text), "{context}");
    // The offsets of a large file would exceed the limit of one lookup.
    for offsets in offsets.chunks(1 << 20) {
        let locations = symcache.look_up(offsets).unwrap();
        for (i, offset) in offsets.iter().enumerate() {
            let expected = symbolic_look_up(&theirs, *offset);
            let through_symbolic = symbolic_look_up(&through_symbolic, *offset);
            assert_eq!(through_symbolic, expected, "{context}: {offset:#x}, Symbolic's reader");
            assert_row(&locations, i, &expected, &format!("{context}: {offset:#x}"));
        }
        for pages in [2, 64, 1 << 20] {
            let again = open(ours.clone(), debug_filename, debug_id, pages).unwrap().look_up(offsets);
            assert_eq!(again.as_ref(), Ok(&locations), "{context}: with {pages} pages");
        }
        let ahead = read_ahead(&ours, debug_filename, debug_id, 3).unwrap().look_up(offsets);
        assert_eq!(ahead, Ok(locations), "{context}: read ahead");
    }
}

fn assert_row(locations: &Locations, i: usize, expected: &[Row], context: &str) {
    let rows: Vec<_> =
        locations.of(i).map(|(function, file, line)| (function.to_owned(), file.to_owned(), line)).collect();
    let expected_rows: Vec<_> =
        expected.iter().map(|(function, file, line, _)| (function.clone(), file.clone(), *line)).collect();
    assert_eq!(rows, expected_rows, "{context}");
    let function_start = expected.last().map_or(0, |row| row.3);
    assert_eq!(locations.function_starts[i], function_start, "{context}: function start");
}
