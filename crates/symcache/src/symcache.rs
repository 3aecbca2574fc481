//! Looking offsets up in a symcache file.

use std::error::Error;
use std::fmt;

use symbolic_symcache::SymCache;

use crate::locations::{Locations, StringIndexes};
use crate::trailer::{PAGE, Trailer, page_checksum};

/// The file isn't the one it should be, or its bytes aren't those that were written: it is of no use. Says in words why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Damaged {}

/// Reads into the slice from an offset of the file; gives the number of bytes read, `None` where reading failed.
pub type ReadAt = Box<dyn FnMut(&mut [u8], u64) -> Option<usize>>;

/// An open symcache file.
pub struct Symcache {
    module_name: String,
    payload: Vec<u64>,
}

impl Symcache {
    /// Opens a symcache file of `file_size` bytes if it is that of the module.
    pub fn open(mut read_at: ReadAt, file_size: u64, debug_filename: &str, debug_id: &str) -> Result<Self, Damaged> {
        let mut read_exactly = |into: &mut [u8], offset: u64| match read_at(into, offset) {
            Some(length) if length == into.len() => Ok(()),
            Some(_) => Err(Damaged("shorter than its size")),
            None => Err(Damaged("can't be read")),
        };
        let trailer = Trailer::read(file_size, &mut read_exactly)?;
        if trailer.debug_filename != debug_filename || trailer.debug_id != debug_id {
            return Err(Damaged("another module's"));
        }
        if !trailer.payload_length.is_multiple_of(8) {
            return Err(Damaged("a payload that isn't aligned"));
        }
        let mut symcache =
            Self { module_name: trailer.module_name, payload: vec![0; (trailer.payload_length / 8) as usize] };
        let bytes = as_bytes_mut(&mut symcache.payload);
        read_exactly(bytes, 0)?;
        for (number, (page, expected)) in bytes.chunks(PAGE).zip(trailer.pages).enumerate() {
            if page_checksum(page, number) != expected {
                return Err(Damaged("a page with a wrong checksum"));
            }
        }
        symcache.parse()?;
        Ok(symcache)
    }

    /// The module's name in answers.
    pub fn module_name(&self) -> &str {
        &self.module_name
    }

    /// The source locations of offsets, which are relative to the module, in their order.
    pub fn look_up(&mut self, offsets: &[u32]) -> Result<Locations, Damaged> {
        let symcache = self.parse()?;
        let mut locations = Locations::default();
        let mut strings = StringIndexes::default();
        for offset in offsets {
            let mut function_start = 0;
            for location in symcache.lookup(u64::from(*offset)) {
                let function = location.function();
                let name = strings.index(&mut locations, function.name().to_owned());
                let file = location.file().map_or(String::new(), |file| file.full_path());
                let file = strings.index(&mut locations, file);
                locations.push_row(name, file, location.line());
                function_start = function.entry_pc();
            }
            locations.end_offset(function_start);
        }
        Ok(locations)
    }

    fn parse(&self) -> Result<SymCache<'_>, Damaged> {
        SymCache::parse(as_bytes(&self.payload)).map_err(|_| Damaged("not a symcache"))
    }
}

/// Symbolic's reader wants memory that is aligned to 8 bytes.
fn as_bytes(words: &[u64]) -> &[u8] {
    // SAFETY: eight times as many bytes as words lie there, and every bit pattern is a valid byte.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

fn as_bytes_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: as above, and every bit pattern is a valid word as well.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}
