//! Looks up offsets in a symcache file.

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
mod strings;

use std::cell::RefCell;
use std::rc::Rc;

use self::lookup::look_up;
use self::payload::{Payload, Reader, read_exactly};
use crate::lookup_error::{Damaged, LookupError};
use crate::raw::{HEADER, Sections};
use crate::trailer::{SAMPLE_EVERY, Trailer};

pub use self::json::LocationsJson;
pub use self::locations::Locations;
pub use self::page_cache::PageCache;
pub use self::strings::Strings;

/// Reads into the slice from an offset of the file. Returns the number of bytes read, or `None` for a failure.
pub type ReadAt = Box<dyn FnMut(&mut [u8], u64) -> Option<usize>>;

/// An open symcache file, which is read page by page as lookups need it.
pub struct Symcache {
    debug_filename: String,
    debug_id: String,
    module_name: String,
    samples: Vec<u32>,
    sections: Sections,
    payload: Payload,
}

impl Symcache {
    /// Opens the module's symcache file of `file_size` bytes, or that of any module if both names are empty. Its pages are
    /// kept in `cache`.
    pub fn open(
        mut read_at: ReadAt,
        file_size: u64,
        debug_filename: &str,
        debug_id: &str,
        cache: &Rc<RefCell<PageCache>>,
    ) -> Result<Self, Damaged> {
        let trailer = Trailer::read(file_size, |into, offset| read_exactly(&mut read_at, into, offset))?;
        let is_any = debug_filename.is_empty() && debug_id.is_empty();
        if !is_any && (trailer.debug_filename != debug_filename || trailer.debug_id != debug_id) {
            return Err(Damaged("symcache of another module"));
        }
        let Trailer { debug_filename, debug_id, module_name, payload_length, samples, pages } = trailer;
        let mut payload = Payload::new(read_at, payload_length, pages, Rc::clone(cache));
        let sections = payload.read(|reader| read_sections(reader, payload_length, samples.len()))?;
        Ok(Self { debug_filename, debug_id, module_name, samples, sections, payload })
    }

    /// The module's name in responses.
    pub fn module_name(&self) -> &str {
        &self.module_name
    }

    /// The checksum of each page.
    pub fn checksums(&self) -> &[u64] {
        self.payload.checksums()
    }

    /// Describes the file as JSON. Without ranges, or if the last one can't be read, there are no addresses.
    pub fn describe(&mut self) -> String {
        let Sections { files, functions, locations, ranges, string_bytes, .. } = self.sections;
        let last_at = self.sections.range_at(ranges.saturating_sub(1));
        let last = self.payload.read(|reader| reader.record::<4>(last_at));
        let addresses = match (self.samples.first(), last) {
            (Some(first), Ok(last)) => {
                format!(r#","firstAddress":{first},"lastAddress":{}"#, u32::from_le_bytes(last))
            }
            _ => String::new(),
        };
        let [filename, id] = [&self.debug_filename, &self.debug_id].map(|name| json::escape(name));
        let length = self.payload.length();
        format!(
            r#"{{"version":9,"debugFilename":"{filename}","debugId":"{id}","files":{files},"functions":{functions},"#
        ) + &format!(r#""sourceLocations":{locations},"ranges":{ranges},"stringBytes":{string_bytes},"#)
            + &format!(r#""payloadBytes":{length}{addresses}}}"#)
    }

    /// Reads the next `pages` into the cache, unless they are there. Returns whether that was the end; then the next call
    /// starts over.
    pub fn read_ahead(&mut self, pages: usize) -> Result<bool, Damaged> {
        self.payload.read_ahead(pages)
    }

    /// The source locations of offsets relative to the module, in their order.
    pub fn look_up(&mut self, offsets: &[u32]) -> Result<Locations, LookupError> {
        let Self { samples, sections, payload, .. } = self;
        payload.read(|reader| look_up(reader, sections, samples, offsets))
    }
}

/// Reads the header of a payload of `length` bytes with `samples` samples.
fn read_sections(reader: &mut Reader, length: u64, samples: usize) -> Result<Sections, Damaged> {
    let header: [u8; HEADER as usize] = reader.record(0)?;
    if header[..8] != *b"SYMC\x09\0\0\0" {
        return Err(Damaged("not a symcache, or a symcache of another version"));
    }
    let sections = Sections::read(&header);
    if sections.payload_length != length || sections.ranges > sections.locations {
        return Err(Damaged("header with impossible counts"));
    }
    if samples != (sections.ranges as usize).div_ceil(SAMPLE_EVERY) {
        return Err(Damaged("samples don't match the ranges"));
    }
    Ok(sections)
}
