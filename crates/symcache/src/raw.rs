//! The records of a symcache, format version 9, as Symbolic defines them (`symbolic-symcache/src/raw/v9.rs`).
//!
//! All numbers are little-endian, and each section begins at a multiple of 8 bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 4, 4 | `SYMC`, 9 |
//! | 32, 4 | debug id, architecture |
//! | 4 × 5 | numbers of files, functions, source locations and ranges, length of the strings |
//! | 16 | zero |
//! | 24 × files | [`File`] |
//! | 16 × functions | [`Function`] |
//! | 16 × source locations | [`SourceLocation`], callers before what they call. The last ones belong to the ranges, one each |
//! | 4 × ranges | first address, ascending |
//! | strings | length as LEB128, UTF-8 |

/// In place of an index, an offset or an address: there is none.
pub(crate) const NONE: u32 = u32::MAX;

/// A path: offsets of strings.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct File {
    pub(crate) compilation_directory: u32,
    pub(crate) directory: u32,
    pub(crate) name: u32,
    /// Name, directory and revision on a source server, which Breakpad knows nothing of.
    pub(crate) source_server: [u32; 3],
}

/// A function, or what all inlined calls of one have in common.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Function {
    /// Offset of a string.
    pub(crate) name: u32,
    pub(crate) compilation_directory: u32,
    /// First address; [`NONE`] for inlined calls.
    pub(crate) entry: u32,
    /// Symbolic's number of a language, 0 for the unknown one of FUNC records, [`NONE`] for PUBLIC records.
    pub(crate) language: u32,
}

/// A line of a function, and the call that it was inlined into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct SourceLocation {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) function: u32,
    /// Index among the call locations.
    pub(crate) inlined_into: u32,
}

impl SourceLocation {
    /// Marks the end of what is known.
    pub(crate) const NONE: Self = Self { file: NONE, line: NONE, function: NONE, inlined_into: NONE };
}

/// A record that is nothing but 32-bit numbers.
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

/// The bytes of records as they stand in a symcache.
pub(crate) fn bytes<T: Record>(records: &[T]) -> &[u8] {
    const { assert!(cfg!(target_endian = "little"), "symcaches are written as they lie in memory") };
    // SAFETY: a `Record` has no padding, so that each of its bytes is initialised.
    unsafe { std::slice::from_raw_parts(records.as_ptr().cast(), size_of_val(records)) }
}
