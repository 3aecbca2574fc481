//! Breakpad sym files in, Symbolic's symcaches out, and source locations out of those.
//!
//! [`Converter`] makes a symcache file of the text of a sym file. [`Symcache`] answers which functions, files and lines
//! offsets belong to. Both say what Symbolic 13.9.0 says: its crates are the judge in the tests, and its record parsers
//! read what is out of the ordinary.
//!
//! [`trailer`] describes the file. [`wasm`] is how JavaScript calls all this.

mod calls;
pub mod checksum;
mod conversion_error;
mod converter;
mod functions;
mod locations;
mod lookup;
mod module_record;
mod page_cache;
mod pages;
mod paths;
mod payload;
mod ranges;
mod sections;
mod strings;
mod symcache;
pub mod trailer;
mod wanted;
#[cfg(target_family = "wasm")]
pub mod wasm;

pub use conversion_error::{ConversionError, Reason};
pub use converter::Converter;
pub use locations::Locations;
pub use page_cache::PageCache;
pub use strings::Strings;
pub use symcache::{Damaged, ReadAt, Symcache};
