//! Converts the text of a sym file to a symcache file in one pass.
//!
//! It processes the text line by line as it arrives, and doesn't keep it. Names and paths go to the string table at once. Line
//! and INLINE records become ranges at the end of their function. The rules follow from Symbolic
//! (`symbolic-debuginfo/src/breakpad.rs`), which makes one pass for each kind of record:
//!
//! - FILE records count until the first line that isn't a MODULE, INFO or FILE record.
//! - FUNC, INLINE_ORIGIN and PUBLIC records count until the first STACK record.
//! - Malformed FILE and PUBLIC records are ignored. A malformed FUNC or INLINE_ORIGIN record, or any other malformed line within
//!   a function, makes the sym file malformed.

mod conversion;
mod digits;
mod files;
mod flatten;
mod function;
mod functions;
mod id_map;
mod inline_tree;
mod locations;
mod module_record;
mod nesting;
mod ranges;
mod records;
mod segmented_vec;
mod string_table;
mod symcache_file;

use memchr::{memchr, memrchr};
use symbolic_common::DebugId;

use self::conversion::Conversion;
use self::module_record::ModuleRecord;
use crate::conversion_error::{ConversionError, Reason};

pub use self::string_table::{HashKey, MAX_NAME_BYTES};
pub use self::symcache_file::SymcacheFile;

/// A sym file with a longer line is rejected.
pub const MAX_LINE_BYTES: usize = 64 << 20;

/// Converts a sym file that arrives in chunks.
pub struct Converter {
    debug_filename: String,
    debug_id: String,
    parsed_debug_id: DebugId,
    module: Option<ModuleRecord>,
    /// The start of an incomplete line. Until the MODULE record is checked, all of the text.
    unfinished: Vec<u8>,
    conversion: Conversion,
}

impl Converter {
    /// A converter for the sym file of one module. `debug_id` is its Breakpad identifier, `1410…9AE50`. Fails with
    /// [`Reason::BadDebugId`] if Symbolic can't parse it. `key` does not change the symcache file.
    pub fn new(debug_filename: &str, debug_id: &str, key: &HashKey) -> Result<Self, ConversionError> {
        let parsed_debug_id = debug_id.parse().map_err(|error| ConversionError::new(Reason::BadDebugId, error))?;
        Ok(Self {
            debug_filename: debug_filename.to_owned(),
            debug_id: debug_id.to_owned(),
            parsed_debug_id,
            module: None,
            unfinished: Vec::new(),
            conversion: Conversion::new(key),
        })
    }

    /// Converts the next bytes of the sym file. Rejects a file that isn't a sym file, or belongs to another module, within the
    /// first 321 bytes. The converter can't be used after an error.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ConversionError> {
        if self.module.is_some() {
            return self.convert(chunk);
        }
        self.unfinished.extend_from_slice(chunk);
        self.begin(false)
    }

    /// Returns the symcache file.
    pub fn finish(mut self) -> Result<SymcacheFile, ConversionError> {
        if self.module.is_none() {
            self.begin(true)?;
        }
        let module = self.module.expect("a MODULE record");
        self.conversion.finish(&self.unfinished, module, self.debug_filename, self.debug_id)
    }

    /// Checks the MODULE record as soon as enough text has arrived, and then converts that text.
    fn begin(&mut self, is_whole_file: bool) -> Result<(), ConversionError> {
        self.module = ModuleRecord::read(&self.unfinished, is_whole_file, self.parsed_debug_id)?;
        if self.module.is_none() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.unfinished);
        self.convert(&text)
    }

    fn convert(&mut self, chunk: &[u8]) -> Result<(), ConversionError> {
        let mut text = chunk;
        if !self.unfinished.is_empty() {
            let Some(end) = memchr(b'\n', text) else { return self.buffer(text) };
            self.buffer(&text[..=end])?;
            text = &text[end + 1..];
            let line = std::mem::take(&mut self.unfinished);
            self.convert_lines(&line)?;
        }
        let end = memrchr(b'\n', text).map_or(0, |end| end + 1);
        self.convert_lines(&text[..end])?;
        self.buffer(&text[end..])
    }

    /// Keeps the start of a line until the rest arrives.
    fn buffer(&mut self, start: &[u8]) -> Result<(), ConversionError> {
        if self.unfinished.len() + start.len() > MAX_LINE_BYTES {
            let number = self.conversion.line_number() + 1;
            let message = format_args!("line {number} has more than {MAX_LINE_BYTES} bytes");
            return Err(ConversionError::new(Reason::Malformed, message));
        }
        self.unfinished.extend_from_slice(start);
        Ok(())
    }

    /// Converts complete lines.
    fn convert_lines(&mut self, mut text: &[u8]) -> Result<(), ConversionError> {
        while !text.is_empty() {
            text = self.conversion.add_first_line(text)?;
        }
        Ok(())
    }
}
