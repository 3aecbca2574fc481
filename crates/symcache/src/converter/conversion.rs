//! Builds the lists of a symcache from the lines of a sym file.

use memchr::memchr;
use symbolic_debuginfo::breakpad::BreakpadError;

use super::files::Files;
use super::flatten::{Flattener, is_plain};
use super::function::{Function, Inlinee, Line};
use super::functions::Functions;
use super::inline_tree::put_tree;
use super::locations::Locations;
use super::module_record::{ModuleName, ModuleRecord};
use super::nesting::{Nesting, TooMuchWork};
use super::records::{self, InlineRecord, LineRecord, NamedId, Symbol};
use super::string_table::{HashKey, StringTable};
use super::symcache_file::SymcacheFile;
use crate::conversion_error::{ConversionError, Reason};
use crate::raw::SourceLocation;

/// The lists of a symcache, to which each line of a sym file is added.
#[derive(Default)]
pub(crate) struct Conversion {
    /// The number of lines so far, for error messages.
    line_number: u64,
    state: State,
    after_files: bool,
    module_name: ModuleName,
    strings: StringTable,
    files: Files,
    functions: Functions,
    /// The current function.
    function: Function,
    inline_ranges: Vec<(u64, u64)>,
    nesting: Nesting,
    flattener: Flattener,
    locations: Locations,
    publics: Vec<Public>,
}

/// Which records are expected.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Line and INLINE records are ignored.
    #[default]
    Outside,
    /// Line and INLINE records belong to a function.
    InFunction,
    /// All records after the first STACK record are ignored.
    AfterStack,
}

/// A PUBLIC record.
struct Public {
    address: u32,
    /// Offset of a string.
    name: u32,
}

impl Conversion {
    /// `key` is that of the string table.
    pub(crate) fn new(key: &HashKey) -> Self {
        Self { strings: StringTable::new(key), ..Self::default() }
    }

    /// The number of lines so far.
    pub(crate) fn line_number(&self) -> u64 {
        self.line_number
    }

    /// Adds the first line of a text, which must contain a newline, and returns the rest of the text.
    #[inline(always)]
    pub(crate) fn add_first_line<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], ConversionError> {
        self.line_number += 1;
        // The fast path: line and INLINE records are most of a sym file.
        if self.state == State::InFunction
            && let Some(rest) = self.add_leading_record(text)
        {
            return Ok(rest);
        }
        let end = memchr(b'\n', text).expect("a newline");
        let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
        self.module_name.add_line(line);
        self.add_record(line)?;
        Ok(&text[end + 1..])
    }

    /// Adds the last line, which has no newline, and returns the symcache.
    pub(crate) fn finish(
        mut self,
        last_line: &[u8],
        module: ModuleRecord,
        debug_filename: String,
        debug_id: String,
    ) -> Result<SymcacheFile, ConversionError> {
        self.line_number += 1;
        self.add_record(last_line)?;
        self.end_function()?;
        self.add_publics();
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

    /// Adds the first PUBLIC record of each address that is free.
    fn add_publics(&mut self) {
        let Self { publics, functions, locations: Locations { ranges, .. }, .. } = self;
        ranges.sort();
        let mut indexes: Vec<usize> = (0..publics.len()).collect();
        indexes.sort_by_key(|index| publics[*index].address);
        indexes.dedup_by_key(|index| publics[*index].address);
        indexes.retain(|index| ranges.is_free(publics[*index].address));
        indexes.sort_unstable();
        for Public { address, name } in indexes.iter().map(|index| &publics[*index]) {
            let function = functions.add_public(*name, *address);
            ranges.put(*address, SourceLocation::without_line(function));
        }
        ranges.sort();
    }

    /// Adds a line or INLINE record at the start of a text if it has the usual form, and returns the rest of the text.
    #[inline(always)]
    fn add_leading_record<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if text[0] == b'I' {
            let (record, rest) = records::leading_inline_record(text, &mut self.inline_ranges)?;
            self.add_inline_record(&record);
            return Some(rest);
        }
        let (record, rest) = records::leading_line_record(text)?;
        self.add_line_record(record);
        Some(rest)
    }

    fn add_record(&mut self, line: &[u8]) -> Result<(), ConversionError> {
        if self.state == State::AfterStack {
            return Ok(());
        }
        if !self.after_files {
            if line.starts_with(b"FILE ") {
                if let Ok(NamedId { id, name }) = records::file_record(line) {
                    self.files.add(id, name, &mut self.strings);
                }
                return Ok(());
            }
            self.after_files = !line.starts_with(b"MODULE ") && !line.starts_with(b"INFO ");
        }
        let line_number = self.line_number;
        let malformed = |error| malformed(line_number, line, error);
        if line.starts_with(b"FUNC ") {
            let Symbol { address, size, name } = records::func_record(line).map_err(malformed)?;
            self.end_function()?;
            self.function.begin(address, size, self.strings.insert_name(name));
            self.state = State::InFunction;
        } else if line.starts_with(b"PUBLIC ") {
            self.end_function()?;
            if let Ok(Symbol { address, name, .. }) = records::public_record(line) {
                // Symbolic keeps 32 bits of the address.
                self.publics.push(Public { address: address as u32, name: self.strings.insert_name(name) });
            }
        } else if line.starts_with(b"STACK ") {
            self.end_function()?;
            self.state = State::AfterStack;
        } else if line.starts_with(b"INLINE_ORIGIN ") {
            let NamedId { id, name } = records::inline_origin_record(line).map_err(malformed)?;
            self.functions.add_origin(id, name, &mut self.strings);
        } else if self.state == State::InFunction && line.starts_with(b"INLINE ") {
            let record = records::inline_record(line, &mut self.inline_ranges).map_err(malformed)?;
            self.add_inline_record(&record);
        } else if self.state == State::InFunction && !line.is_empty() {
            let record = records::line_record(line).map_err(malformed)?;
            self.add_line_record(record);
        }
        Ok(())
    }

    #[inline]
    fn add_line_record(&mut self, LineRecord { address, size, line, file }: LineRecord) {
        if size > 0 {
            self.function.push_line(Line { address, size, file: self.files.index(file), line });
        }
    }

    /// Adds an INLINE record with the ranges in `inline_ranges`.
    fn add_inline_record(&mut self, record: &InlineRecord) {
        let file = self.files.index(record.file);
        let function = self.functions.origin(record.origin, &mut self.strings);
        for (address, size) in self.inline_ranges.iter().copied() {
            let &InlineRecord { depth, line, .. } = record;
            self.function.push_inlinee(Inlinee { address, size, depth, function, file, line });
        }
    }

    /// Adds the ranges of the current function, if any.
    fn end_function(&mut self) -> Result<(), ConversionError> {
        if self.state != State::InFunction {
            return Ok(());
        }
        self.state = State::Outside;
        let Self { function, nesting, functions, locations, .. } = self;
        let Ok(entry) = u32::try_from(function.address) else { return Ok(()) };
        if function.size == 0 {
            return Ok(());
        }
        nesting.nest(&function.inlinees).map_err(|TooMuchWork| {
            let message = format_args!("the inline calls of the function at {entry:#x} overlap too much");
            ConversionError::new(Reason::Malformed, message)
        })?;
        let index = functions.add(function.name, entry);
        locations.call_sites.begin_function();
        if is_plain(function, &nesting.nested) {
            self.flattener.flatten(function, index, &nesting.nested, locations);
        } else {
            put_tree(function, index, &nesting.nested, locations);
        }
        Ok(())
    }
}

fn malformed(line_number: u64, line: &[u8], error: BreakpadError) -> ConversionError {
    let start = String::from_utf8_lossy(&line[..line.len().min(200)]);
    ConversionError::new(Reason::Malformed, format_args!("line {line_number}: {error}: {start:?}"))
}
