//! A finished symcache file, as it is written.

use symbolic_symcache::SymCacheConverter;

use super::files::Files;
use super::functions::Functions;
use super::module_record::ModuleRecord;
use super::source_locations::SourceLocations;
use super::string_table::StringTable;
use crate::raw::bytes;
use crate::trailer::{PAGE, SAMPLE_EVERY, Trailer, page_checksum};

/// Bytes that are written at a time: many pages, and few enough for the processor's cache.
const PIECE: usize = 64 * PAGE;

/// A symcache file whose parts lie where they grew.
pub struct SymcacheFile {
    pub(crate) module: ModuleRecord,
    pub(crate) debug_filename: String,
    pub(crate) debug_id: String,
    pub(crate) module_name: String,
    pub(crate) files: Files,
    pub(crate) functions: Functions,
    pub(crate) locations: SourceLocations,
    pub(crate) strings: StringTable,
}

impl SymcacheFile {
    /// The size of the file in bytes.
    pub fn size(&self) -> u64 {
        let payload = self.payload_length();
        let trailer = Trailer { pages: vec![0; payload.div_ceil(PAGE as u64) as usize], ..self.trailer() };
        payload + trailer.to_bytes().len() as u64
    }

    /// Gives the file's bytes to `sink` from begin to end, in pieces that are good until the sink returns.
    pub fn write<E>(&self, mut sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut trailer = self.trailer();
        let mut piece = Vec::with_capacity(PIECE);
        let mut flush = |piece: &mut Vec<u8>| {
            for page in piece.chunks(PAGE) {
                trailer.pages.push(page_checksum(page, trailer.pages.len()));
            }
            sink(piece)?;
            piece.clear();
            Ok(())
        };
        let header = self.header();
        for mut part in std::iter::once(&header[..]).chain(self.parts()) {
            while !part.is_empty() {
                let (now, later) = part.split_at(part.len().min(PIECE - piece.len()));
                piece.extend_from_slice(now);
                part = later;
                if piece.len() == PIECE {
                    flush(&mut piece)?;
                }
            }
        }
        flush(&mut piece)?;
        sink(&trailer.to_bytes())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.size() as usize);
        let Ok(()) = self.write(|piece| {
            file.extend_from_slice(piece);
            Ok::<_, std::convert::Infallible>(())
        });
        file
    }

    /// The trailer without the checksums of pages.
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
            payload_length: self.payload_length(),
            samples,
            pages: Vec::new(),
        }
    }

    fn payload_length(&self) -> u64 {
        let [files, functions, calls, ranges, strings] = self.counts().map(u64::from);
        let before_strings = 80 + 24 * files + 16 * (functions + calls + ranges) + 4 * ranges;
        (before_strings.next_multiple_of(8) + strings).next_multiple_of(8)
    }

    /// The numbers of files, functions, call locations and ranges, and the bytes of strings.
    fn counts(&self) -> [u32; 5] {
        let Self { files, functions, locations: SourceLocations { calls, ranges }, strings, .. } = self;
        [files.list.len(), functions.list.len(), calls.list.len(), ranges.len(), strings.len()]
            .map(|count| count as u32)
    }

    /// The payload behind the header in parts, its zero bytes included.
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let Self { files, functions, locations: SourceLocations { calls, ranges }, strings, .. } = self;
        let padding = |length: usize| &[0; 8][..length.next_multiple_of(8) - length];
        std::iter::once(bytes(&files.list))
            .chain(functions.list.slices(0, functions.list.len()).map(bytes))
            .chain(calls.list.slices(0, calls.list.len()).map(bytes))
            .chain(ranges.locations().map(bytes))
            .chain(ranges.starts().map(bytes))
            .chain([padding(4 * ranges.len())])
            .chain(strings.pieces())
            .chain([padding(strings.len())])
    }

    /// That which Symbolic writes for the module, with our counts.
    fn header(&self) -> Vec<u8> {
        let mut empty = SymCacheConverter::new();
        empty.set_arch(self.module.arch);
        empty.set_debug_id(self.module.debug_id);
        let mut header = Vec::new();
        empty.serialize(&mut header).expect("memory takes what is written");
        let [files, functions, calls, ranges, strings] = self.counts();
        for (number, count) in [files, functions, calls + ranges, ranges, strings].into_iter().enumerate() {
            header[44 + 4 * number..][..4].copy_from_slice(&count.to_le_bytes());
        }
        header
    }
}
