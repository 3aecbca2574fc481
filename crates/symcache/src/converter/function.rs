//! A function of a sym file: its FUNC record with the line and INLINE records under it.

/// The function that is being read. Its lists are used again for the next one.
#[derive(Default)]
pub(crate) struct Function {
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// Offset of its name.
    pub(crate) name: u32,
    pub(crate) lines: Vec<Line>,
    pub(crate) inlinees: Vec<Inlinee>,
    /// Whether the lines come in order, don't overlap and lie within the function, below 2^32.
    pub(crate) has_plain_lines: bool,
    /// Where the last line ended as long as the lines are plain.
    lines_end: u64,
}

/// Addresses and the line of source code that they belong to, in the innermost call that is inlined there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// Index of the file.
    pub(crate) file: u32,
    pub(crate) line: u32,
}

/// Addresses of a call that was inlined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlinee {
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// How many calls it is inlined into besides the function itself.
    pub(crate) depth: u32,
    /// Index of the function that is called.
    pub(crate) function: u32,
    /// Where it is called: index of the file.
    pub(crate) file: u32,
    pub(crate) line: u32,
}

impl Function {
    /// Begins the next function.
    pub(crate) fn begin(&mut self, address: u64, size: u64, name: u32) {
        self.address = address;
        self.size = size;
        self.name = name;
        self.lines.clear();
        self.inlinees.clear();
        self.has_plain_lines = true;
        self.lines_end = address;
    }

    /// Its end; Symbolic lets it overflow.
    pub(crate) fn end(&self) -> u64 {
        self.address.wrapping_add(self.size)
    }

    /// Adds a line, unless it begins before the function.
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

    /// Adds an inlined call, unless it begins before the function.
    #[inline]
    pub(crate) fn push_inlinee(&mut self, inlinee: Inlinee) {
        if inlinee.address >= self.address {
            self.inlinees.push(inlinee);
        }
    }
}
