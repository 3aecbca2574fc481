//! From a function with inlined calls to ranges, where lines and inlinees overlap, lie out of order or outside of the
//! function.
//!
//! Symbolic says which line such an address has by the order in which it goes through a tree of calls. This goes through the
//! same tree in the same order, by lists instead of recursion, so that no depth of inlining is too deep.

use std::ops::Range;

use super::function::{Function, Inlinee, Line};
use super::source_locations::SourceLocations;
use crate::raw::{NONE, SourceLocation};

/// Puts the ranges of a function, whose index is `number`. Its inlinees are nested.
#[cold]
pub(crate) fn put_tree(function: &Function, number: u32, nested: &[Inlinee], locations: &mut SourceLocations) {
    let tree = Tree::build(function, number, nested);
    Walk { tree, open: Vec::new(), callees: vec![(0, NONE)], locations }.all();
}

/// The calls of a function; the first is the function itself, and each stands behind its caller.
struct Tree {
    calls: Vec<Call>,
    /// The lines of all calls; those of one together, in the order in which Symbolic comes to them.
    lines: Vec<Line>,
    /// By caller, the lines of its callees.
    callee_lines: Vec<Vec<Range<u32>>>,
}

struct Call {
    caller: usize,
    address: u64,
    size: u64,
    function: u32,
    lines: Range<usize>,
}

impl Tree {
    /// What `FunctionBuilder::finish` does in `symbolic-debuginfo/src/function_builder.rs`.
    fn build(function: &Function, number: u32, nested: &[Inlinee]) -> Self {
        let mut lines = function.lines.clone();
        lines.sort_by_key(|line| line.address);
        let function_end = function.end();
        let Function { address, size, .. } = *function;
        let mut calls = vec![Call { caller: 0, address, size, function: number, lines: 0..0 }];
        // The calls that are open, and where they end.
        let mut open = vec![(0, address.saturating_add(size))];
        // Each line behind the call that it is in.
        let mut placed: Vec<(usize, Line)> = Vec::new();

        let mut nested = nested.iter().peekable();
        let mut lines = lines.into_iter();
        let mut next_line = lines.next();
        loop {
            if let Some(inlinee) = nested.next_if(|next| next_line.is_none_or(|line| next.address <= line.address)) {
                close_until(&mut open, inlinee.address);
                open.truncate(inlinee.depth as usize + 1);
                if inlinee.address >= function_end {
                    break;
                }
                let caller = open[open.len() - 1].0;
                let Inlinee { address, size, function, file, line, .. } = *inlinee;
                placed.push((caller, Line { address, size, file, line }));
                open.push((calls.len(), address.saturating_add(size)));
                calls.push(Call { caller, address, size, function, lines: 0..0 });
            } else if let Some(line) = next_line {
                close_until(&mut open, line.address);
                if line.address >= function_end {
                    break;
                }
                let (call, call_end) = open[open.len() - 1];
                let line_end = line.address.saturating_add(line.size);
                let cut = nested.peek().map_or(call_end, |next| next.address.min(call_end));
                if cut < line_end {
                    placed.push((call, Line { size: cut - line.address, ..line }));
                    next_line = Some(Line { address: cut, size: line_end - cut, ..line });
                } else {
                    placed.push((call, line));
                    next_line = lines.next();
                }
            } else {
                break;
            }
        }

        placed.sort_by_key(|(call, _)| *call);
        let mut callee_lines = vec![Vec::new(); calls.len()];
        for (at, (call, line)) in placed.iter().enumerate() {
            let lines = &mut calls[*call].lines;
            if lines.end == 0 {
                lines.start = at;
            }
            lines.end = at + 1;
            if *call > 0 {
                callee_lines[calls[*call].caller].push(bounds(line));
            }
        }
        for lines in &mut callee_lines {
            // As Symbolic does, also where two begin together.
            lines.sort_unstable_by_key(|range| range.start);
        }
        Self { calls, lines: placed.into_iter().map(|(_, line)| line).collect(), callee_lines }
    }
}

fn close_until(open: &mut Vec<(usize, u64)>, address: u64) {
    while open.len() > 1 && open[open.len() - 1].1 <= address {
        open.pop();
    }
}

/// A line's first address and its end, held below 2^32 as Symbolic does.
fn bounds(line: &Line) -> Range<u32> {
    let start = u32::try_from(line.address).unwrap_or(u32::MAX);
    start..start.saturating_add(u32::try_from(line.size).unwrap_or(u32::MAX))
}

/// What `process_symbolic_function_recursive` does in `symbolic-symcache/src/writer.rs`.
struct Walk<'a> {
    tree: Tree,
    /// The calls whose callees are being gone through, outermost first.
    open: Vec<Open>,
    /// From which address on the callees of each open call have which call location. The first stands for the function's
    /// caller, of which nothing is known.
    callees: Vec<(u32, u32)>,
    locations: &'a mut SourceLocations,
}

struct Open {
    call: usize,
    /// Its part of `callees`.
    callees: Range<usize>,
}

impl Walk<'_> {
    fn all(&mut self) {
        for call in 0..self.tree.calls.len() {
            let Call { caller, address, size, .. } = self.tree.calls[call];
            while self.open.last().is_some_and(|open| call > 0 && open.call > caller) {
                self.close();
            }
            // A call that Symbolic leaves out isn't open, and neither are those in it.
            let is_reached = match self.open.last() {
                None => call == 0,
                Some(open) => open.call == caller && !open.callees.is_empty(),
            };
            if is_reached && size > 0 && address <= u64::from(u32::MAX) {
                self.enter(call);
            }
        }
        while !self.open.is_empty() {
            self.close();
        }
    }

    fn enter(&mut self, call: usize) {
        let locations = self.open.last().map_or(0..1, |open| open.callees.clone());
        let first_callee = self.callees.len();
        self.put_lines(call, locations);
        if call == 0 {
            let Call { address, function, .. } = self.tree.calls[call];
            let unknown_line = SourceLocation { file: NONE, line: 0, function, inlined_into: NONE };
            self.locations.ranges.put_if_free(address as u32, unknown_line);
        }
        self.open.push(Open { call, callees: first_callee..self.callees.len() });
    }

    /// Puts the ranges that a call's lines leave of its callees, and notes the call locations of these in `callees`.
    fn put_lines(&mut self, call: usize, locations: Range<usize>) {
        let Call { function, ref lines, .. } = self.tree.calls[call];
        let callee_lines = std::mem::take(&mut self.tree.callee_lines[call]);
        let mut callee_lines = callee_lines.iter().peekable();
        let mut lines = self.tree.lines[lines.clone()].iter().peekable();
        let mut location = locations.start;
        while let Some(line) = lines.next() {
            let Range { start, end } = bounds(line);
            location += self.callees[location + 1..locations.end].partition_point(|(from, _)| *from <= start);
            let inlined_into = self.callees[location].1;
            let source = SourceLocation { file: line.file, line: line.line, function, inlined_into };
            let mut address = start;
            while address < end {
                if callee_lines.peek().is_none_or(|next| next.start > address) {
                    self.locations.ranges.put(address, source);
                }
                match callee_lines.next_if(|next| next.start < end) {
                    Some(callee_line) => {
                        self.callees.push((callee_line.start, self.locations.calls.index(source)));
                        address = callee_line.end;
                    }
                    None => address = end,
                }
            }
            while lines.next_if(|next| (next.address as u32) < address).is_some() {}
        }
    }

    fn close(&mut self) {
        let Some(Open { call, callees }) = self.open.pop() else { return };
        self.callees.truncate(callees.start);
        let Call { address, size, .. } = self.tree.calls[call];
        self.locations.ranges.end_at(address.saturating_add(size) as u32);
    }
}
