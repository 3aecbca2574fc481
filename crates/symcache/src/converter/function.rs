//! A function of a sym file: a FUNC record with its line and INLINE records.

/// The current function. The next one reuses its lists.
#[derive(Default)]
pub(crate) struct Function {
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// Offset of a string.
    pub(crate) name: u32,
    pub(crate) lines: Vec<Line>,
    pub(crate) inlinees: Vec<Inlinee>,
    /// Whether the lines are in order, don't overlap and are within the function.
    pub(crate) has_plain_lines: bool,
    /// End of the last line.
    lines_end: u64,
}

/// An address range and its source line, in the innermost inline call there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// Index of the file.
    pub(crate) file: u32,
    pub(crate) line: u32,
}

/// An address range of an inline call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlinee {
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// Number of inline calls around it.
    pub(crate) depth: u32,
    /// Index of the callee.
    pub(crate) function: u32,
    /// Index of the call site's file.
    pub(crate) file: u32,
    pub(crate) line: u32,
}

impl Function {
    /// Starts the next function.
    pub(crate) fn begin(&mut self, address: u64, size: u64, name: u32) {
        self.address = address;
        self.size = size;
        self.name = name;
        self.lines.clear();
        self.inlinees.clear();
        self.has_plain_lines = true;
        self.lines_end = address;
    }

    /// Its end, which wraps around, as in Symbolic.
    pub(crate) fn end(&self) -> u64 {
        self.address.wrapping_add(self.size)
    }

    /// Adds a line, unless it starts before the function.
    #[inline]
    pub(crate) fn push_line(&mut self, line: Line) {
        if line.address < self.address {
            return;
        }
        let end = line.address.saturating_add(line.size);
        self.has_plain_lines &= line.address >= self.lines_end && end <= self.end();
        self.lines_end = end;
        self.lines.push(line);
    }

    /// Adds an inline call, unless it starts before the function.
    #[inline]
    pub(crate) fn push_inlinee(&mut self, inlinee: Inlinee) {
        if inlinee.address >= self.address {
            self.inlinees.push(inlinee);
        }
    }
}
