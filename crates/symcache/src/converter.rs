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
use symbolic_debuginfo::breakpad::BreakpadError;

use self::files::Files;
use self::flatten::{Flattener, is_plain};
use self::function::{Function, Inlinee, Line};
use self::functions::Functions;
use self::inline_tree::put_tree;
use self::module_record::{ModuleName, ModuleRecord};
use self::names::cut;
use self::nesting::{Nesting, TooMuchWork};
use self::records::{InlineRecord, LineRecord, NamedAddress, NumberedName};
use self::source_locations::SourceLocations;
use self::string_table::StringTable;
use crate::conversion_error::{ConversionError, Reason};
use crate::raw::{NONE, SourceLocation};

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
    /// The number of lines read, for error messages.
    line_number: u64,
    place: Place,
    has_files_ahead: bool,
    module_name: ModuleName,
    strings: StringTable,
    files: Files,
    functions: Functions,
    function: Function,
    inline_ranges: Vec<(u64, u64)>,
    nesting: Nesting,
    flattener: Flattener,
    locations: SourceLocations,
    publics: Vec<Public>,
}

/// Which records may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Those of a function count as nothing.
    Outside,
    /// Those of a function.
    InFunction,
    /// Behind the first STACK record: none.
    Behind,
}

/// A PUBLIC record.
struct Public {
    address: u32,
    /// Offset of a string.
    name: u32,
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
            line_number: 0,
            place: Place::Outside,
            has_files_ahead: true,
            module_name: ModuleName::default(),
            strings: StringTable::default(),
            files: Files::default(),
            functions: Functions::default(),
            function: Function::default(),
            inline_ranges: Vec::new(),
            nesting: Nesting::default(),
            flattener: Flattener::default(),
            locations: SourceLocations::default(),
            publics: Vec::new(),
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
        let last_line = std::mem::take(&mut self.unfinished);
        self.line_number += 1;
        self.take_line(&last_line)?;
        self.end_function()?;

        for Public { address, name } in self.publics {
            if self.locations.ranges.is_free(address) {
                let function = self.functions.add_public(name, address);
                self.locations
                    .ranges
                    .put(address, SourceLocation { file: NONE, line: 0, function, inlined_into: NONE });
            }
        }
        Ok(SymcacheFile {
            module: self.module.expect("has begun"),
            module_name: self.module_name.into_name().unwrap_or_else(|| self.debug_filename.clone()),
            debug_filename: self.debug_filename,
            debug_id: self.debug_id,
            files: self.files,
            functions: self.functions,
            locations: self.locations,
            strings: self.strings,
        })
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
            let message = format_args!("line {} has more than {LONGEST_LINE} bytes", self.line_number + 1);
            return Err(ConversionError::new(Reason::Malformed, message));
        }
        self.unfinished.extend_from_slice(begin);
        Ok(())
    }

    /// Takes whole lines.
    fn take_lines(&mut self, mut text: &[u8]) -> Result<(), ConversionError> {
        while !text.is_empty() {
            self.line_number += 1;
            // Most lines of a sym file are these.
            if self.place == Place::InFunction
                && let Some(rest) = self.take_leading_record(text)
            {
                text = rest;
                continue;
            }
            let end = memchr(b'\n', text).expect("whole lines");
            let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
            self.module_name.take_line(line);
            self.take_line(line)?;
            text = &text[end + 1..];
        }
        Ok(())
    }

    /// Takes a line or INLINE record at the begin of a text, if there is an ordinary one, and gives what follows it.
    #[inline(always)]
    fn take_leading_record<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if text[0] == b'I' {
            let (record, rest) = records::leading_inline_record(text, &mut self.inline_ranges)?;
            self.take_inline_record(&record);
            return Some(rest);
        }
        let (record, rest) = records::leading_line_record(text)?;
        self.take_line_record(record);
        Some(rest)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), ConversionError> {
        if self.place == Place::Behind {
            return Ok(());
        }
        if self.has_files_ahead {
            if line.starts_with(b"FILE ") {
                if let Ok(NumberedName { number, name }) = records::file_record(line) {
                    self.files.add(number, name, &mut self.strings);
                }
                return Ok(());
            }
            self.has_files_ahead = line.starts_with(b"MODULE ") || line.starts_with(b"INFO ");
        }
        let number = self.line_number;
        let malformed = |error| malformed(number, line, error);
        if line.starts_with(b"FUNC ") {
            let NamedAddress { address, size, name } = records::func_record(line).map_err(malformed)?;
            self.end_function()?;
            self.function.begin(address, size, self.strings.insert(&cut(name)));
            self.place = Place::InFunction;
        } else if line.starts_with(b"PUBLIC ") {
            self.end_function()?;
            if let Ok(NamedAddress { address, name, .. }) = records::public_record(line) {
                // Symbolic keeps 32 bits of the address.
                self.publics.push(Public { address: address as u32, name: self.strings.insert(&cut(name)) });
            }
        } else if line.starts_with(b"STACK ") {
            self.end_function()?;
            self.place = Place::Behind;
        } else if line.starts_with(b"INLINE_ORIGIN ") {
            let NumberedName { number, name } = records::inline_origin_record(line).map_err(malformed)?;
            self.functions.add_origin(number, name, &mut self.strings);
        } else if self.place == Place::InFunction && line.starts_with(b"INLINE ") {
            let record = records::inline_record(line, &mut self.inline_ranges).map_err(malformed)?;
            self.take_inline_record(&record);
        } else if self.place == Place::InFunction && !line.is_empty() {
            let record = records::line_record(line).map_err(malformed)?;
            self.take_line_record(record);
        }
        Ok(())
    }

    #[inline]
    fn take_line_record(&mut self, LineRecord { address, size, line, file }: LineRecord) {
        if size > 0 {
            self.function.push_line(Line { address, size, file: self.files.index(file), line });
        }
    }

    /// Takes an INLINE record, whose ranges are in `inline_ranges`.
    fn take_inline_record(&mut self, record: &InlineRecord) {
        let file = self.files.index(record.file);
        let function = self.functions.origin(record.origin, &mut self.strings);
        for (address, size) in self.inline_ranges.iter().copied() {
            let &InlineRecord { depth, line, .. } = record;
            self.function.push_inlinee(Inlinee { address, size, depth, function, file, line });
        }
    }

    /// Puts the ranges of the function that has been read, if there is one.
    fn end_function(&mut self) -> Result<(), ConversionError> {
        if self.place != Place::InFunction {
            return Ok(());
        }
        self.place = Place::Outside;
        let Self { function, nesting, functions, locations, .. } = self;
        let Ok(entry) = u32::try_from(function.address) else { return Ok(()) };
        if function.size == 0 {
            return Ok(());
        }
        nesting.nest(&function.inlinees).map_err(|TooMuchWork| {
            let message = format_args!("the inlined calls of the function at {entry:#x} overlap too much");
            ConversionError::new(Reason::Malformed, message)
        })?;
        let number = functions.add(function.name, entry);
        if is_plain(function, &nesting.nested) {
            self.flattener.flatten(function, number, &nesting.nested, locations);
        } else {
            put_tree(function, number, &nesting.nested, locations);
        }
        Ok(())
    }
}

fn malformed(line_number: u64, line: &[u8], error: BreakpadError) -> ConversionError {
    let begin = String::from_utf8_lossy(&line[..line.len().min(200)]);
    ConversionError::new(Reason::Malformed, format_args!("line {line_number}: {error}: {begin:?}"))
}
