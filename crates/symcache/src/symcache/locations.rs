//! The result of a lookup.

use super::strings::Strings;

/// Source locations of a list of offsets, as columns.
///
/// The rows of the offset `i` are `starts[i]..starts[i + 1]`, innermost call first; none without symbols. Names
/// and paths are indexes into [`Locations::strings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    /// One more than offsets.
    pub starts: Vec<u32>,
    /// Per row: the function's name.
    pub functions: Vec<u32>,
    /// Per row: the file's full path, cleaned as Symbolic does; 0 if it is unknown.
    pub files: Vec<u32>,
    /// Per row: the line; 0 if it or the file is unknown.
    pub lines: Vec<u32>,
    /// Per offset: start of the outermost function, relative to the module; 0 without symbols.
    pub function_starts: Vec<u32>,
    /// Each name and path once; the first is empty.
    pub strings: Strings,
}

impl Default for Locations {
    fn default() -> Self {
        let mut strings = Strings::default();
        strings.push("");
        Self {
            starts: vec![0],
            functions: Vec::new(),
            files: Vec::new(),
            lines: Vec::new(),
            function_starts: Vec::new(),
            strings,
        }
    }
}

impl Locations {
    /// The innermost-first `(function, file, line)` of the offset `i`, as text.
    pub fn of(&self, i: usize) -> impl Iterator<Item = (&str, &str, u32)> {
        (self.starts[i] as usize..self.starts[i + 1] as usize)
            .map(|row| (self.strings.get(self.functions[row]), self.strings.get(self.files[row]), self.lines[row]))
    }

    /// Adds a row to the current offset.
    pub(crate) fn push_row(&mut self, function: u32, file: u32, line: u32) {
        self.functions.push(function);
        self.files.push(file);
        self.lines.push(if file == 0 { 0 } else { line });
    }

    /// Ends the rows of the current offset.
    pub(crate) fn end_offset(&mut self, function_start: u32) {
        self.starts.push(self.functions.len() as u32);
        self.function_starts.push(function_start);
    }
}
