//! Looking offsets up in a symcache file.

mod calls;
mod functions;
mod json;
mod locations;
mod lookup;
mod page_cache;
mod pages;
mod paths;
mod payload;
mod ranges;
mod sections;
mod strings;
mod wanted;

use std::cell::RefCell;
use std::rc::Rc;

use self::lookup::look_up;
use self::pages::read_exactly;
use self::payload::Payload;
use self::sections::Sections;
use crate::lookup_error::{Damaged, LookupError};
use crate::trailer::Trailer;

pub use self::json::LocationsJson;
pub use self::locations::Locations;
pub use self::page_cache::PageCache;
pub use self::strings::Strings;

/// Reads into the slice from an offset of the file; gives the number of bytes read, `None` where reading failed.
pub type ReadAt = Box<dyn FnMut(&mut [u8], u64) -> Option<usize>>;

/// An open symcache file, which is read page by page as lookups need it, or held in memory.
pub struct Symcache {
    module_name: String,
    samples: Vec<u32>,
    sections: Sections,
    payload: Payload,
}

impl Symcache {
    /// Opens a symcache file of `file_size` bytes if it is that of the module. Its pages go through `cache`.
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

    /// The module's name in answers.
    pub fn module_name(&self) -> &str {
        &self.module_name
    }

    /// Bytes of the file that are held, where it is.
    pub fn payload_length(&self) -> u64 {
        self.payload.length()
    }

    /// Room for the next bytes of the file, from its beginning on: of so many pages of 4 KiB, or what is left. Panics for
    /// want of memory.
    pub fn room(&mut self, pages: usize) -> &mut [u8] {
        self.payload.room(pages)
    }

    /// Holds what was put into the room. Once that was the last, which is the answer, lookups don't read the file any more.
    pub fn hold(&mut self) -> Result<bool, Damaged> {
        self.payload.hold()
    }

    /// The source locations of offsets, which are relative to the module, in their order.
    pub fn look_up(&mut self, offsets: &[u32]) -> Result<Locations, LookupError> {
        let Self { samples, sections, payload, .. } = self;
        payload.read(|reader| look_up(reader, sections, samples, offsets))
    }
}
