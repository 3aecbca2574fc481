//! The positions of a symcache's sections, which [`crate::raw`] describes.

use super::payload::Reader;
use crate::lookup_error::Damaged;
use crate::trailer::SAMPLE_EVERY;

/// Bytes of the header.
const HEADER: usize = 80;

/// The number of records in each section, and its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    pub(crate) files: u32,
    pub(crate) functions: u32,
    pub(crate) locations: u32,
    pub(crate) ranges: u32,
    pub(crate) string_bytes: u32,
    functions_at: u64,
    locations_at: u64,
    ranges_at: u64,
    strings_at: u64,
}

impl Sections {
    /// Reads the header of a payload of `length` bytes with `samples` samples.
    pub(crate) fn read(reader: &mut Reader, length: u64, samples: usize) -> Result<Self, Damaged> {
        let header: [u8; HEADER] = reader.record(0)?;
        if header[..8] != *b"SYMC\x09\0\0\0" {
            return Err(Damaged("not a symcache, or a symcache of another version"));
        }
        let [.., files, functions, locations, ranges, string_bytes, _, _, _, _] = numbers::<HEADER, 20>(&header);
        let functions_at = (HEADER as u64 + 24 * u64::from(files)).next_multiple_of(8);
        let locations_at = (functions_at + 16 * u64::from(functions)).next_multiple_of(8);
        let ranges_at = (locations_at + 16 * u64::from(locations)).next_multiple_of(8);
        let strings_at = (ranges_at + 4 * u64::from(ranges)).next_multiple_of(8);
        if (strings_at + u64::from(string_bytes)).next_multiple_of(8) != length || ranges > locations {
            return Err(Damaged("header with impossible counts"));
        }
        if samples != (ranges as usize).div_ceil(SAMPLE_EVERY) {
            return Err(Damaged("samples don't match the ranges"));
        }
        Ok(Self {
            files,
            functions,
            locations,
            ranges,
            string_bytes,
            functions_at,
            locations_at,
            ranges_at,
            strings_at,
        })
    }

    pub(crate) fn file_at(&self, file: u32) -> u64 {
        HEADER as u64 + 24 * u64::from(file)
    }

    pub(crate) fn function_at(&self, function: u32) -> u64 {
        self.functions_at + 16 * u64::from(function)
    }

    pub(crate) fn location_at(&self, location: u32) -> u64 {
        self.locations_at + 16 * u64::from(location)
    }

    pub(crate) fn range_at(&self, range: u32) -> u64 {
        self.ranges_at + 4 * u64::from(range)
    }

    pub(crate) fn string_at(&self, offset: u32) -> u64 {
        self.strings_at + u64::from(offset)
    }
}

/// The 32-bit integers of a record.
pub(crate) fn numbers<const BYTES: usize, const COUNT: usize>(record: &[u8; BYTES]) -> [u32; COUNT] {
    const { assert!(4 * COUNT <= BYTES) };
    std::array::from_fn(|i| u32::from_le_bytes(*record[4 * i..].first_chunk().expect("4 bytes")))
}
