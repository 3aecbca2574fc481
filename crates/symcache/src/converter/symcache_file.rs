//! Serialization of a symcache file.

use std::convert::Infallible;
use std::iter::once;

use super::files::Files;
use super::functions::Functions;
use super::locations::Locations;
use super::module_record::ModuleRecord;
use super::string_table::StringTable;
use crate::raw::{HEADER, Sections, bytes};
use crate::trailer::{PAGE, SAMPLE_EVERY, Trailer, page_checksum};

/// Bytes per write: many pages, but few enough for the processor's cache.
const BUFFER: usize = 64 * PAGE;

/// A converted module, which can be written as a symcache file.
pub struct SymcacheFile {
    pub(crate) module: ModuleRecord,
    pub(crate) debug_filename: String,
    pub(crate) debug_id: String,
    pub(crate) module_name: String,
    pub(crate) files: Files,
    pub(crate) functions: Functions,
    pub(crate) locations: Locations,
    pub(crate) strings: StringTable,
}

impl SymcacheFile {
    /// The size of the file in bytes.
    pub fn size(&self) -> u64 {
        let payload = self.layout().payload_length;
        let trailer = Trailer { pages: vec![0; payload.div_ceil(PAGE as u64) as usize], ..self.trailer() };
        payload + trailer.to_bytes().len() as u64
    }

    /// Passes the file's bytes to `sink`, from start to end.
    pub fn write<E>(&self, mut sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut trailer = self.trailer();
        let mut buffer = Vec::with_capacity(BUFFER);
        let mut flush = |buffer: &mut Vec<u8>| {
            for page in buffer.chunks(PAGE) {
                trailer.pages.push(page_checksum(page, trailer.pages.len()));
            }
            sink(buffer)?;
            buffer.clear();
            Ok(())
        };
        let header = self.header();
        for mut rest in once(&header[..]).chain(self.sections()) {
            while !rest.is_empty() {
                let (next, later) = rest.split_at(rest.len().min(BUFFER - buffer.len()));
                buffer.extend_from_slice(next);
                rest = later;
                if buffer.len() == BUFFER {
                    flush(&mut buffer)?;
                }
            }
        }
        flush(&mut buffer)?;
        sink(&trailer.to_bytes())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.size() as usize);
        let Ok(()) = self.write(|bytes| {
            file.extend_from_slice(bytes);
            Ok::<_, Infallible>(())
        });
        file
    }

    /// The trailer, without the checksums of pages.
    fn trailer(&self) -> Trailer {
        let mut samples = Vec::new();
        let mut skip = 0;
        for starts in self.locations.ranges.starts() {
            samples.extend(starts.iter().skip(skip).step_by(SAMPLE_EVERY));
            skip = (skip + SAMPLE_EVERY * starts.len() - starts.len()) % SAMPLE_EVERY;
        }
        Trailer {
            debug_filename: self.debug_filename.clone(),
            debug_id: self.debug_id.clone(),
            module_name: self.module_name.clone(),
            payload_length: self.layout().payload_length,
            samples,
            pages: Vec::new(),
        }
    }

    fn layout(&self) -> Sections {
        let Self { files, functions, locations: Locations { call_sites, ranges }, strings, .. } = self;
        let locations = call_sites.list.len() + ranges.len();
        let counts = [files.list.len(), functions.list.len(), locations, ranges.len(), strings.len()];
        Sections::new(counts.map(|count| count as u32))
    }

    /// The sections with their padding, in pieces.
    fn sections(&self) -> impl Iterator<Item = &[u8]> {
        let Self { files, functions, locations: Locations { call_sites, ranges }, strings, .. } = self;
        let padding = |length: usize| &[0; 8][..length.next_multiple_of(8) - length];
        once(bytes(&files.list))
            .chain(functions.list.slices(0, functions.list.len()).map(bytes))
            .chain(call_sites.list.slices(0, call_sites.list.len()).map(bytes))
            .chain(ranges.locations().map(bytes))
            .chain(ranges.starts().map(bytes))
            .chain([padding(4 * ranges.len())])
            .chain(strings.pieces())
            .chain([padding(strings.len())])
    }

    fn header(&self) -> [u8; HEADER as usize] {
        let ModuleRecord { debug_id, arch } = self.module;
        let mut header = [0; HEADER as usize];
        header[..8].copy_from_slice(b"SYMC\x09\0\0\0");
        header[8..24].copy_from_slice(debug_id.uuid().as_bytes());
        header[24..28].copy_from_slice(&debug_id.appendix().to_le_bytes());
        header[39] = debug_id.is_pdb20().into();
        header[40..44].copy_from_slice(&(arch as u32).to_le_bytes());
        self.layout().write(&mut header);
        header
    }
}
