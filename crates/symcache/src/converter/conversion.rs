//! What the lines of a sym file come to.

use memchr::memchr;
use symbolic_debuginfo::breakpad::BreakpadError;

use super::files::Files;
use super::flatten::{Flattener, is_plain};
use super::function::{Function, Inlinee, Line};
use super::functions::Functions;
use super::inline_tree::put_tree;
use super::module_record::{ModuleName, ModuleRecord};
use super::names::cut;
use super::nesting::{Nesting, TooMuchWork};
use super::records::{self, InlineRecord, LineRecord, NamedAddress, NumberedName};
use super::source_locations::SourceLocations;
use super::string_table::StringTable;
use super::symcache_file::SymcacheFile;
use crate::conversion_error::{ConversionError, Reason};
use crate::raw::{NONE, SourceLocation};

/// The lists of a symcache while the lines of a sym file are taken, one after the other.
#[derive(Default)]
pub(crate) struct Conversion {
    /// The number of lines taken, for error messages.
    line_number: u64,
    place: Place,
    has_left_files: bool,
    module_name: ModuleName,
    strings: StringTable,
    files: Files,
    functions: Functions,
    /// The function whose records come.
    function: Function,
    inline_ranges: Vec<(u64, u64)>,
    nesting: Nesting,
    flattener: Flattener,
    locations: SourceLocations,
    publics: Vec<Public>,
}

/// Which records may come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Those of a function count as nothing.
    #[default]
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

impl Conversion {
    /// The number of lines taken.
    pub(crate) fn line_number(&self) -> u64 {
        self.line_number
    }

    /// Takes the first line of a text in which a newline must come, and gives what follows it.
    #[inline(always)]
    pub(crate) fn take_first_line<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], ConversionError> {
        self.line_number += 1;
        // Most lines of a sym file are these.
        if self.place == Place::InFunction
            && let Some(rest) = self.take_leading_record(text)
        {
            return Ok(rest);
        }
        let end = memchr(b'\n', text).expect("a newline comes");
        let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
        self.module_name.take_line(line);
        self.take_record(line)?;
        Ok(&text[end + 1..])
    }

    /// Takes the last line, behind which no newline has come, and gives the symcache of a module.
    pub(crate) fn finish(
        mut self,
        last_line: &[u8],
        module: ModuleRecord,
        debug_filename: String,
        debug_id: String,
    ) -> Result<SymcacheFile, ConversionError> {
        self.line_number += 1;
        self.take_record(last_line)?;
        self.end_function()?;
        for Public { address, name } in self.publics {
            if self.locations.ranges.is_free(address) {
                let function = self.functions.add_public(name, address);
                let unknown_line = SourceLocation { file: NONE, line: 0, function, inlined_into: NONE };
                self.locations.ranges.put(address, unknown_line);
            }
        }
        Ok(SymcacheFile {
            module,
            module_name: self.module_name.into_name().unwrap_or_else(|| debug_filename.clone()),
            debug_filename,
            debug_id,
            files: self.files,
            functions: self.functions,
            locations: self.locations,
            strings: self.strings,
        })
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

    fn take_record(&mut self, line: &[u8]) -> Result<(), ConversionError> {
        if self.place == Place::Behind {
            return Ok(());
        }
        if !self.has_left_files {
            if line.starts_with(b"FILE ") {
                if let Ok(NumberedName { number, name }) = records::file_record(line) {
                    self.files.add(number, name, &mut self.strings);
                }
                return Ok(());
            }
            self.has_left_files = !line.starts_with(b"MODULE ") && !line.starts_with(b"INFO ");
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
        locations.calls.begin_function();
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
