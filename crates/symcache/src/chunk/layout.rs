//! The sections of a symcache as chunks pack them.

use crate::raw::{HEADER, Sections};

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
pub struct Layout(pub(super) Sections);

impl Layout {
    /// The layout of a file that starts with these bytes. A file may be too short for a header.
    pub fn of(file: &[u8]) -> Self {
        let mut header = [0; HEADER as usize];
        let length = file.len().min(header.len());
        header[..length].copy_from_slice(&file[..length]);
        Self(Sections::read(&header))
    }

    /// Each section with its start and end. Together they cover a file of any length. The locations of call sites and those of
    /// ranges are separate sections.
    pub(super) fn sections(&self) -> [(Section, u64, u64); 9] {
        let Sections { functions_at, locations_at: calls_at, ranges_at, strings_at, .. } = self.0;
        let files_end = self.0.file_at(self.0.files);
        let locations_at = self.0.location_at(self.0.locations.saturating_sub(self.0.ranges));
        let ranges_end = self.0.range_at(self.0.ranges);
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
