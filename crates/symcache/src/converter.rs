//! From the text of a sym file to a symcache file, in one pass.
//!
//! The text is taken as it comes, line by line, and not kept. What a function's lines and inlined calls say becomes ranges
//! once the function ends; names and paths go to the string table at once. Symbolic
//! (`symbolic-debuginfo/src/breakpad.rs`) goes through the text several times instead, once for each kind of record:
//!
//! - FILE records count up to the first line that is neither MODULE, INFO nor FILE.
//! - FUNC, INLINE_ORIGIN and PUBLIC records count up to the first STACK record.
//! - PUBLIC records that can't be read are passed over, as are FILE records. All else that can't be read within a function
//!   makes the sym file malformed, and so do FUNC and INLINE_ORIGIN records anywhere.

mod call_locations;
mod conversion;
mod digits;
mod files;
mod flatten;
mod function;
mod functions;
mod inline_tree;
mod module_record;
mod names;
mod nesting;
mod numbers;
mod ranges;
mod records;
mod segments;
mod source_locations;
mod string_table;
mod symcache_file;

use memchr::{memchr, memrchr};
use symbolic_common::DebugId;

use self::conversion::Conversion;
use self::module_record::ModuleRecord;
use crate::conversion_error::{ConversionError, Reason};

pub use self::names::LONGEST_NAME;
pub use self::symcache_file::SymcacheFile;

/// Bytes of the longest line that is read.
pub const LONGEST_LINE: usize = 64 << 20;

/// Takes a sym file in pieces and gives a symcache file.
pub struct Converter {
    debug_filename: String,
    debug_id: String,
    parsed_debug_id: DebugId,
    module: Option<ModuleRecord>,
    /// The begin of a line whose end has yet to come; up to the MODULE record's verdict, all that has come.
    unfinished: Vec<u8>,
    conversion: Conversion,
}

impl Converter {
    /// A converter for the sym file of one module. `debug_id` is its Breakpad identifier, `1410…9AE50`; one that
    /// Symbolic can't parse is [`Reason::BadDebugId`].
    pub fn new(debug_filename: &str, debug_id: &str) -> Result<Self, ConversionError> {
        let parsed_debug_id = debug_id.parse().map_err(|error| ConversionError::new(Reason::BadDebugId, error))?;
        Ok(Self {
            debug_filename: debug_filename.to_owned(),
            debug_id: debug_id.to_owned(),
            parsed_debug_id,
            module: None,
            unfinished: Vec::new(),
            conversion: Conversion::default(),
        })
    }

    /// Takes the next bytes of the sym file. Fails as early as what it has seen allows: a file that isn't a sym file, or
    /// another module's, within the first 321 bytes. After an error the converter is of no more use.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ConversionError> {
        if self.module.is_some() {
            return self.take(chunk);
        }
        self.unfinished.extend_from_slice(chunk);
        self.begin(false)
    }

    /// The symcache file.
    pub fn finish(mut self) -> Result<SymcacheFile, ConversionError> {
        if self.module.is_none() {
            self.begin(true)?;
        }
        let module = self.module.expect("has begun");
        self.conversion.finish(&self.unfinished, module, self.debug_filename, self.debug_id)
    }

    /// Looks whether it is the module's sym file as soon as there is enough of it, and takes what has come until then.
    fn begin(&mut self, is_whole_file: bool) -> Result<(), ConversionError> {
        self.module = ModuleRecord::read(&self.unfinished, is_whole_file, self.parsed_debug_id)?;
        if self.module.is_none() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.unfinished);
        self.take(&text)
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), ConversionError> {
        let mut text = chunk;
        if !self.unfinished.is_empty() {
            let Some(end) = memchr(b'\n', text) else { return self.keep(text) };
            self.keep(&text[..=end])?;
            text = &text[end + 1..];
            let line = std::mem::take(&mut self.unfinished);
            self.take_lines(&line)?;
        }
        let end = memrchr(b'\n', text).map_or(0, |end| end + 1);
        self.take_lines(&text[..end])?;
        self.keep(&text[end..])
    }

    /// Keeps the begin of a line until the rest has come.
    fn keep(&mut self, begin: &[u8]) -> Result<(), ConversionError> {
        if self.unfinished.len() + begin.len() > LONGEST_LINE {
            let number = self.conversion.line_number() + 1;
            let message = format_args!("line {number} has more than {LONGEST_LINE} bytes");
            return Err(ConversionError::new(Reason::Malformed, message));
        }
        self.unfinished.extend_from_slice(begin);
        Ok(())
    }

    /// Takes whole lines.
    fn take_lines(&mut self, mut text: &[u8]) -> Result<(), ConversionError> {
        while !text.is_empty() {
            text = self.conversion.take_first_line(text)?;
        }
        Ok(())
    }
}
