/// Bytes of a symcache's header.
const HEADER: usize = 80;

/// How a section is packed.
#[derive(Clone, Copy)]
pub(super) enum Section {
    Bytes,
    /// Records of so many numbers.
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

/// Where a header says that the sections are; it may say anything.
pub struct Layout {
    files: u64,
    functions: u64,
    calls: u64,
    ranges: u64,
    string_bytes: u64,
}

impl Layout {
    /// That of the file which begins with these bytes; of one that is too short to be a symcache, too.
    pub fn of(file: &[u8]) -> Self {
        let count = |number: usize| {
            let bytes = file[..file.len().min(HEADER)].get(4 * number..).and_then(|bytes| bytes.first_chunk());
            bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
        };
        let [files, functions, locations, ranges, string_bytes] = [11, 12, 13, 14, 15].map(count);
        Self { files, functions, calls: locations.saturating_sub(ranges), ranges, string_bytes }
    }

    /// Bytes of the symcache, with which the trailer's checksums begin and end.
    pub(super) fn payload_length(&self) -> u64 {
        (self.strings_at() + self.string_bytes).next_multiple_of(8)
    }

    /// From the file's first byte to its last, however long it is, with where each begins and ends. The locations of calls and
    /// of ranges are sections of their own.
    pub(super) fn sections(&self) -> [(Section, u64, u64); 9] {
        let files_end = HEADER as u64 + 24 * self.files;
        let functions_at = files_end.next_multiple_of(8);
        let calls_at = functions_at + 16 * self.functions;
        let locations_at = calls_at + 16 * self.calls;
        let ranges_at = locations_at + 16 * self.ranges;
        let ranges_end = ranges_at + 4 * self.ranges;
        [
            (Section::Bytes, 0, HEADER as u64),
            (Section::Columns(6), HEADER as u64, files_end),
            (Section::Bytes, files_end, functions_at),
            (Section::Columns(4), functions_at, calls_at),
            (Section::Locations, calls_at, locations_at),
            (Section::Locations, locations_at, ranges_at),
            (Section::Columns(1), ranges_at, ranges_end),
            (Section::Bytes, ranges_end, self.strings_at()),
            (Section::Bytes, self.strings_at(), u64::MAX),
        ]
    }

    fn strings_at(&self) -> u64 {
        let before = HEADER as u64 + 24 * self.files + 16 * (self.functions + self.calls + self.ranges);
        (before + 4 * self.ranges).next_multiple_of(8)
    }
}
