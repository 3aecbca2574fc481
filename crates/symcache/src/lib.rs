//! Breakpad sym files in, Symbolic's symcaches out, and source locations out of those.
//!
//! [`Converter`] makes a symcache file of the text of a sym file. [`Symcache`] answers which functions, files and lines
//! offsets belong to. Both say what Symbolic 13.9.0 says: its crates are the judge in the tests, and its record parsers
//! read what is out of the ordinary.
//!
//! [`trailer`] describes the file, [`chunk`] how its parts are stored elsewhere. [`wasm`] is how JavaScript calls all this.

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
pub use converter::{Converter, LONGEST_LINE, LONGEST_NAME, SymcacheFile};
pub use lookup_error::{Damaged, LookupError};
pub use symcache::{Locations, LocationsJson, PageCache, ReadAt, Strings, Symcache};
