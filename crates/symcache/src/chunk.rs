//! Chunks of a symcache file as they are stored elsewhere: the same bytes in another order, of which zstd makes less.
//!
//! A file is cut into chunks of [`CHUNK`] bytes, the last one shorter. Each can be packed and unpacked by itself, with nothing
//! but the symcache's header, which says where its sections are. What a chunk has of a section is packed as a part, the parts
//! one after the other:
//!
//! | of | packed |
//! |---|---|
//! | files, functions, ranges | [`columns`]: numbers of the same field after one another, as differences |
//! | source locations | [`locations`]: a token for each, and what can't be told from those before |
//! | all else | as it is |
//!
//! Records that a chunk's end cuts stay as they are. Any bytes can be packed, also those of no symcache at all.

mod columns;
mod layout;
mod locations;
mod planes;

use std::ops::Range;

use crate::lookup_error::Damaged;
use crate::trailer::{PAGE, page_checksum};
pub use layout::Layout;
use layout::Section;

/// Bytes of a chunk: whole pages, and enough for zstd.
pub const CHUNK: usize = 1024 * PAGE;

/// Appends the chunk whose first byte is at `at` in its file, packed.
pub fn pack(layout: &Layout, at: u64, chunk: &[u8], packed: &mut Vec<u8>) {
    for part in parts(layout, at, chunk.len()) {
        let (head, records, tail) = part.split(chunk);
        packed.extend_from_slice(head);
        match part.section {
            Section::Bytes => packed.extend_from_slice(records),
            Section::Columns(width) => columns::pack(width, words(records), packed),
            Section::Locations => locations::pack(part.first_record, words(records), packed),
        }
        packed.extend_from_slice(tail);
    }
}

/// Fills `chunk`, which begins at `at` in its file, with what was packed.
pub fn unpack(layout: &Layout, at: u64, mut packed: &[u8], chunk: &mut [u8]) -> Result<(), Damaged> {
    for part in parts(layout, at, chunk.len()) {
        let (head, records, tail) = part.split_mut(chunk);
        take_bytes(&mut packed, head)?;
        match part.section {
            Section::Bytes => take_bytes(&mut packed, records)?,
            Section::Columns(width) => columns::unpack(width, &mut packed, records)?,
            Section::Locations => locations::unpack(part.first_record, &mut packed, records)?,
        }
        take_bytes(&mut packed, tail)?;
    }
    if packed.is_empty() { Ok(()) } else { Err(Damaged("a chunk with something behind it")) }
}

/// Appends the checksums of a chunk's pages, as they stand in the trailer.
pub fn append_checksums(layout: &Layout, at: u64, chunk: &[u8], checksums: &mut Vec<u8>) {
    let in_payload = layout.payload_length().saturating_sub(at).min(chunk.len() as u64) as usize;
    let first = (at / PAGE as u64) as usize;
    for (number, page) in chunk[..in_payload].chunks(PAGE).enumerate() {
        checksums.extend(page_checksum(page, first + number).to_le_bytes());
    }
}

/// What a chunk has of a section.
struct Part {
    section: Section,
    /// Of the chunk.
    bytes: Range<usize>,
    /// Bytes before its first whole record.
    head: usize,
    first_record: u32,
}

impl Part {
    /// Whole records, and the bytes before and behind them.
    fn split<'c>(&self, chunk: &'c [u8]) -> (&'c [u8], &'c [u8], &'c [u8]) {
        let (head, rest) = chunk[self.bytes.clone()].split_at(self.head);
        let (records, tail) = rest.split_at(rest.len() - rest.len() % self.section.record());
        (head, records, tail)
    }

    fn split_mut<'c>(&self, chunk: &'c mut [u8]) -> (&'c mut [u8], &'c mut [u8], &'c mut [u8]) {
        let (head, rest) = chunk[self.bytes.clone()].split_at_mut(self.head);
        let (records, tail) = rest.split_at_mut(rest.len() - rest.len() % self.section.record());
        (head, records, tail)
    }
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
        Some(Part {
            section,
            bytes: (from - at) as usize..(to - at) as usize,
            head: (start + first_record * record - from).min(to - from) as usize,
            first_record: first_record as u32,
        })
    })
}

fn words(bytes: &[u8]) -> impl ExactSizeIterator<Item = u32> + Clone {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn take<'p>(packed: &mut &'p [u8], length: usize) -> Result<&'p [u8], Damaged> {
    let (taken, rest) = packed.split_at_checked(length).ok_or(Damaged("a chunk that was cut"))?;
    *packed = rest;
    Ok(taken)
}

fn take_bytes(packed: &mut &[u8], into: &mut [u8]) -> Result<(), Damaged> {
    into.copy_from_slice(take(packed, into.len())?);
    Ok(())
}

/// Small for what is near 0 on either side.
fn zigzag(difference: u32) -> u32 {
    (difference << 1) ^ ((difference as i32 >> 31) as u32)
}

fn unzigzag(number: u32) -> u32 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}
