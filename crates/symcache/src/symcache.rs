//! Looking offsets up in a symcache file.

mod calls;
mod functions;
mod json;
mod locations;
mod lookup;
mod page_cache;
mod paths;
mod payload;
mod pending_reads;
mod ranges;
mod sections;
mod strings;

use std::cell::RefCell;
use std::rc::Rc;

use self::lookup::look_up;
use self::payload::{Payload, read_exactly};
use self::sections::Sections;
use crate::lookup_error::{Damaged, LookupError};
use crate::trailer::Trailer;

pub use self::json::LocationsJson;
pub use self::locations::Locations;
pub use self::page_cache::PageCache;
pub use self::strings::Strings;

/// Reads into the slice from an offset of the file. Returns the number of bytes read, or `None` for a failure.
pub type ReadAt = Box<dyn FnMut(&mut [u8], u64) -> Option<usize>>;

/// An open symcache file, which is read page by page as lookups need it.
pub struct Symcache {
    module_name: String,
    samples: Vec<u32>,
    sections: Sections,
    payload: Payload,
}

impl Symcache {
    /// Opens the module's symcache file of `file_size` bytes. Its pages are kept in `cache`.
    pub fn open(
        mut read_at: ReadAt,
        file_size: u64,
        debug_filename: &str,
        debug_id: &str,
        cache: &Rc<RefCell<PageCache>>,
    ) -> Result<Self, Damaged> {
        let trailer = Trailer::read(file_size, |into, offset| read_exactly(&mut read_at, into, offset))?;
        if trailer.debug_filename != debug_filename || trailer.debug_id != debug_id {
            return Err(Damaged("another module's"));
        }
        let Trailer { module_name, payload_length, samples, pages, .. } = trailer;
        let mut payload = Payload::new(read_at, payload_length, pages, Rc::clone(cache));
        let sections = payload.read(|reader| Sections::read(reader, payload_length, samples.len()))?;
        Ok(Self { module_name, samples, sections, payload })
    }

    /// The module's name in responses.
    pub fn module_name(&self) -> &str {
        &self.module_name
    }

    /// Pages that are checked one by one.
    pub fn pages(&self) -> usize {
        self.payload.pages()
    }

    /// Reads the next `pages` into the cache, unless they are there. Returns whether that was the end; the next call then
    /// begins again.
    pub fn read_ahead(&mut self, pages: usize) -> Result<bool, Damaged> {
        self.payload.read_ahead(pages)
    }

    /// The source locations of offsets relative to the module, in their order.
    pub fn look_up(&mut self, offsets: &[u32]) -> Result<Locations, LookupError> {
        let Self { samples, sections, payload, .. } = self;
        payload.read(|reader| look_up(reader, sections, samples, offsets))
    }
}
