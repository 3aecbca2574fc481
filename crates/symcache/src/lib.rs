//! Converts Breakpad sym files to Symbolic's symcaches, and looks up source locations in them.
//!
//! [`Converter`] converts the text of a sym file to a symcache file. [`Symcache`] looks up the functions, files and lines of
//! module offsets. The results equal those of Symbolic 13.9.0, which is the oracle in the tests, and whose parsers parse records
//! in an unusual form.
//!
//! [`trailer`] describes the file format, [`chunk`] the format of the shared cache. [`wasm`] is the interface for JavaScript.

pub mod checksum;
pub mod chunk;
mod conversion_error;
mod converter;
mod lookup_error;
mod raw;
mod symcache;
pub mod trailer;
#[cfg(target_family = "wasm")]
pub mod wasm;

pub use conversion_error::{ConversionError, Reason};
pub use converter::{Converter, HashKey, MAX_LINE_BYTES, MAX_NAME_BYTES, SymcacheFile};
pub use lookup_error::{Damaged, LookupError};
pub use symcache::{Locations, LocationsJson, PageCache, ReadAt, Strings, Symcache};
