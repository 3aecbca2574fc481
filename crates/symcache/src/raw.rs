//! The layout of a symcache, format version 9, as Symbolic defines it (`symbolic-symcache/src/raw/v9.rs`).
//!
//! All integers are little-endian, and each section starts at a multiple of 8 bytes:
//!
//! | bytes | contents |
//! |---|---|
//! | 4, 4 | `SYMC`, 9 |
//! | 32, 4 | debug id, architecture |
//! | 4 × 5 | counts of files, functions, source locations and ranges, length of the strings |
//! | 16 | zero |
//! | 24 × files | [`File`] |
//! | 16 × functions | [`Function`] |
//! | 16 × source locations | [`SourceLocation`]: first the call sites, callers before callees, then one for each range |
//! | 4 × ranges | start address, ascending |
//! | strings | length as LEB128, UTF-8 |

/// Stands for a missing index, string offset or address.
pub(crate) const NONE: u32 = u32::MAX;

/// Bytes of the header.
pub(crate) const HEADER: u64 = 80;

/// The number of records in each section, and its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    pub(crate) files: u32,
    pub(crate) functions: u32,
    pub(crate) locations: u32,
    pub(crate) ranges: u32,
    pub(crate) string_bytes: u32,
    pub(crate) functions_at: u64,
    pub(crate) locations_at: u64,
    pub(crate) ranges_at: u64,
    pub(crate) strings_at: u64,
    /// Bytes of the symcache, padded to a multiple of 8.
    pub(crate) payload_length: u64,
}

impl Sections {
    /// The sections with these counts, which are in the order of the header.
    pub(crate) fn new(counts: [u32; 5]) -> Self {
        let [files, functions, locations, ranges, string_bytes] = counts;
        let functions_at = (HEADER + 24 * u64::from(files)).next_multiple_of(8);
        let locations_at = functions_at + 16 * u64::from(functions);
        let ranges_at = locations_at + 16 * u64::from(locations);
        let strings_at = (ranges_at + 4 * u64::from(ranges)).next_multiple_of(8);
        let payload_length = (strings_at + u64::from(string_bytes)).next_multiple_of(8);
        Self {
            files,
            functions,
            locations,
            ranges,
            string_bytes,
            functions_at,
            locations_at,
            ranges_at,
            strings_at,
            payload_length,
        }
    }

    /// Reads the counts from a header, which isn't checked.
    pub(crate) fn read(header: &[u8; HEADER as usize]) -> Self {
        Self::new(numbers(header[44..64].as_array::<20>().expect("20 bytes")))
    }

    /// Writes the counts into a header.
    pub(crate) fn write(&self, header: &mut [u8; HEADER as usize]) {
        let Self { files, functions, locations, ranges, string_bytes, .. } = *self;
        let counts = [files, functions, locations, ranges, string_bytes].map(u32::to_le_bytes);
        header[44..64].copy_from_slice(counts.as_flattened());
    }

    pub(crate) fn file_at(&self, file: u32) -> u64 {
        HEADER + 24 * u64::from(file)
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

/// The first integers of a record.
pub(crate) fn numbers<const BYTES: usize, const COUNT: usize>(record: &[u8; BYTES]) -> [u32; COUNT] {
    const { assert!(4 * COUNT <= BYTES) };
    std::array::from_fn(|i| u32::from_le_bytes(*record[4 * i..].first_chunk().expect("4 bytes")))
}

/// A path, as offsets of strings.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct File {
    pub(crate) compilation_directory: u32,
    pub(crate) directory: u32,
    pub(crate) name: u32,
    /// Name, directory and revision on a source server, which Breakpad doesn't record.
    pub(crate) source_server: [u32; 3],
}

/// A function. All inline calls of a function share one record.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Function {
    /// Offset of a string.
    pub(crate) name: u32,
    pub(crate) compilation_directory: u32,
    /// Start address; [`NONE`] for inline calls.
    pub(crate) entry: u32,
    /// Symbolic's code of a language: 0, unknown, for FUNC records, [`NONE`] for PUBLIC records.
    pub(crate) language: u32,
}

/// A line of a function, and the call site that the function is inlined into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct SourceLocation {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) function: u32,
    /// Index of a call site.
    pub(crate) inlined_into: u32,
}

impl SourceLocation {
    /// Marks the addresses behind a function, of which nothing is known.
    pub(crate) const NONE: Self = Self { file: NONE, line: NONE, function: NONE, inlined_into: NONE };

    /// A location in a function that isn't inlined, without a file and line.
    pub(crate) fn without_line(function: u32) -> Self {
        Self { file: NONE, line: 0, function, inlined_into: NONE }
    }
}

/// A record that consists of 32-bit integers only.
///
/// # Safety
/// The type has no padding, and its alignment is that of `u32`.
pub(crate) unsafe trait Record: Copy {}

// SAFETY: `repr(C)` structs of u32 alone.
unsafe impl Record for File {}
// SAFETY: as above.
unsafe impl Record for Function {}
// SAFETY: as above.
unsafe impl Record for SourceLocation {}
// SAFETY: u32 itself.
unsafe impl Record for u32 {}

/// The records as the bytes that a symcache stores.
pub(crate) fn bytes<T: Record>(records: &[T]) -> &[u8] {
    const { assert!(cfg!(target_endian = "little"), "symcaches store the memory layout of a little-endian machine") };
    // SAFETY: a `Record` has no padding, so all of its bytes are initialized.
    unsafe { std::slice::from_raw_parts(records.as_ptr().cast(), size_of_val(records)) }
}
