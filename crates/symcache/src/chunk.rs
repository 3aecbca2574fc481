//! Packs chunks of a symcache file for the shared cache, so that zstd compresses them better.
//!
//! A file is split into chunks of [`CHUNK`] bytes, the last one shorter. Each is packed and unpacked independently. This takes only the
//! symcache's header, which tells where its sections are. A chunk consists of parts, one for each section in it:
//!
//! | section | packed as |
//! |---|---|
//! | files, functions, ranges | [`columns`]: the differences of each field |
//! | source locations | [`locations`]: a token for each, and the fields that don't follow from previous ones |
//! | others | the same bytes |
//!
//! Records that a chunk splits are stored unchanged. Any bytes can be packed, even if they aren't a symcache.

mod columns;
mod layout;
mod locations;

use std::ops::Range;

use crate::lookup_error::Damaged;
use crate::trailer::{PAGE, page_checksum};
pub use layout::Layout;
use layout::Section;

/// Bytes of a chunk: complete pages, and enough of them for zstd.
pub const CHUNK: usize = 1024 * PAGE;

/// Packs the chunk at position `at` of a file.
pub fn pack(layout: &Layout, at: u64, chunk: &[u8], packed: &mut Vec<u8>) {
    for Part { section, head, records, tail, first_record } in parts(layout, at, chunk.len()) {
        packed.extend_from_slice(&chunk[head]);
        let records = &chunk[records];
        match section {
            Section::Bytes => packed.extend_from_slice(records),
            Section::Columns(width) => columns::pack(width, words(records), packed),
            Section::Locations => locations::pack(first_record, words(records), packed),
        }
        packed.extend_from_slice(&chunk[tail]);
    }
}

/// Unpacks the chunk at position `at` of a file.
pub fn unpack(layout: &Layout, at: u64, mut packed: &[u8], chunk: &mut [u8]) -> Result<(), Damaged> {
    for Part { section, head, records, tail, first_record } in parts(layout, at, chunk.len()) {
        take_bytes(&mut packed, &mut chunk[head])?;
        let records = &mut chunk[records];
        match section {
            Section::Bytes => take_bytes(&mut packed, records)?,
            Section::Columns(width) => columns::unpack(width, &mut packed, records)?,
            Section::Locations => locations::unpack(first_record, &mut packed, records)?,
        }
        take_bytes(&mut packed, &mut chunk[tail])?;
    }
    if packed.is_empty() { Ok(()) } else { Err(Damaged("chunk with trailing bytes")) }
}

/// Appends the checksums of a chunk's pages, in the trailer's format.
pub fn append_checksums(layout: &Layout, at: u64, chunk: &[u8], checksums: &mut Vec<u8>) {
    let in_payload = layout.0.payload_length.saturating_sub(at).min(chunk.len() as u64) as usize;
    let first = (at / PAGE as u64) as usize;
    for (index, page) in chunk[..in_payload].chunks(PAGE).enumerate() {
        checksums.extend(page_checksum(page, first + index).to_le_bytes());
    }
}

/// The part of a section that is in a chunk: its complete records, and the bytes before and after them.
struct Part {
    section: Section,
    head: Range<usize>,
    records: Range<usize>,
    tail: Range<usize>,
    first_record: u32,
}

fn parts(layout: &Layout, at: u64, length: usize) -> impl Iterator<Item = Part> {
    let end = at + length as u64;
    layout.sections().into_iter().filter_map(move |(section, start, section_end)| {
        let (from, to) = (start.max(at), section_end.min(end));
        if from >= to {
            return None;
        }
        let record = section.record() as u64;
        let first_record = (from - start).div_ceil(record);
        let records_start = (start + first_record * record).min(to);
        let records_end = to - (to - records_start) % record;
        let range = |from, to| (from - at) as usize..(to - at) as usize;
        Some(Part {
            section,
            head: range(from, records_start),
            records: range(records_start, records_end),
            tail: range(records_end, to),
            first_record: first_record as u32,
        })
    })
}

fn words(bytes: &[u8]) -> impl ExactSizeIterator<Item = u32> + Clone {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn take<'p>(packed: &mut &'p [u8], length: usize) -> Result<&'p [u8], Damaged> {
    let (taken, rest) = packed.split_at_checked(length).ok_or(Damaged("truncated chunk"))?;
    *packed = rest;
    Ok(taken)
}

fn take_bytes(packed: &mut &[u8], into: &mut [u8]) -> Result<(), Damaged> {
    into.copy_from_slice(take(packed, into.len())?);
    Ok(())
}

/// Encodes small positive and negative differences as small integers.
fn zigzag(difference: u32) -> u32 {
    (difference << 1) ^ ((difference as i32 >> 31) as u32)
}

fn unzigzag(encoded: u32) -> u32 {
    (encoded >> 1) ^ (encoded & 1).wrapping_neg()
}
