//! The sections of a symcache as chunks pack them.

use crate::raw::{Counts, HEADER};

/// How a section is packed.
#[derive(Clone, Copy)]
pub(super) enum Section {
    Bytes,
    /// Records of this many 32-bit integers.
    Columns(usize),
    Locations,
}

impl Section {
    /// Bytes of a record.
    pub(super) fn record(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Columns(width) => 4 * width,
            Self::Locations => 16,
        }
    }
}

/// The positions of sections according to a header, which isn't checked.
pub struct Layout(Counts);

impl Layout {
    /// The layout of a file that starts with these bytes. A file may be too short for a header.
    pub fn of(file: &[u8]) -> Self {
        let mut header = [0; HEADER as usize];
        let length = file.len().min(header.len());
        header[..length].copy_from_slice(&file[..length]);
        Self(Counts::read(&header))
    }

    /// Bytes of the payload, which the trailer has checksums of.
    pub(super) fn payload_length(&self) -> u64 {
        self.0.payload_length()
    }

    /// Each section with its start and end. Together they cover a file of any length. The locations of call sites and those of
    /// ranges are separate sections.
    pub(super) fn sections(&self) -> [(Section, u64, u64); 9] {
        let Counts { files, locations, ranges, .. } = self.0;
        let files_end = HEADER + 24 * u64::from(files);
        let (functions_at, calls_at) = (self.0.functions_at(), self.0.locations_at());
        let locations_at = calls_at + 16 * u64::from(locations.saturating_sub(ranges));
        let (ranges_at, strings_at) = (self.0.ranges_at(), self.0.strings_at());
        let ranges_end = ranges_at + 4 * u64::from(ranges);
        [
            (Section::Bytes, 0, HEADER),
            (Section::Columns(6), HEADER, files_end),
            (Section::Bytes, files_end, functions_at),
            (Section::Columns(4), functions_at, calls_at),
            (Section::Locations, calls_at, locations_at),
            (Section::Locations, locations_at, ranges_at),
            (Section::Columns(1), ranges_at, ranges_end),
            (Section::Bytes, ranges_end, strings_at),
            (Section::Bytes, strings_at, u64::MAX),
        ]
    }
}
