//! Converts a function with inline calls to ranges if lines or inlinees overlap, are out of order or extend beyond the function.
//!
//! The result depends on the order in which Symbolic traverses a tree of calls. This code traverses the same tree in the same order,
//! without recursion, so that the depth of inlining is unlimited.

use std::ops::Range;

use super::function::{Function, Inlinee, Line};
use super::locations::Locations;
use crate::raw::{NONE, SourceLocation};

/// Adds the ranges of a function. Its inlinees are nested.
#[cold]
pub(crate) fn put_tree(function: &Function, index: u32, nested: &[Inlinee], locations: &mut Locations) {
    let tree = Tree::build(function, index, nested);
    Traversal { tree, open: Vec::new(), callees: vec![(0, NONE)], locations }.run();
}

/// The calls of a function, callers before callees. The first is the function itself.
struct Tree {
    calls: Vec<Call>,
    /// The lines of all calls, grouped by call, in the order in which Symbolic visits them.
    lines: Vec<Line>,
    /// By caller, the ranges of its callees' lines.
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
    /// Equivalent to `FunctionBuilder::finish` in `symbolic-debuginfo/src/function_builder.rs`.
    fn build(function: &Function, index: u32, nested: &[Inlinee]) -> Self {
        let mut lines = function.lines.clone();
        lines.sort_by_key(|line| line.address);
        let function_end = function.end();
        let Function { address, size, .. } = *function;
        let mut calls = vec![Call { caller: 0, address, size, function: index, lines: 0..0 }];
        // The calls at the current address, and where they end.
        let mut open = vec![(0, address.saturating_add(size))];
        // Each line with the call that it is in.
        let mut assigned: Vec<(usize, Line)> = Vec::new();

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
                assigned.push((caller, Line { address, size, file, line }));
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
                    assigned.push((call, Line { size: cut - line.address, ..line }));
                    next_line = Some(Line { address: cut, size: line_end - cut, ..line });
                } else {
                    assigned.push((call, line));
                    next_line = lines.next();
                }
            } else {
                break;
            }
        }

        assigned.sort_by_key(|(call, _)| *call);
        let mut callee_lines = vec![Vec::new(); calls.len()];
        for (at, (call, line)) in assigned.iter().enumerate() {
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
            // Unstable like Symbolic's sort, for the same order of equal starts.
            lines.sort_unstable_by_key(|range| range.start);
        }
        Self { calls, lines: assigned.into_iter().map(|(_, line)| line).collect(), callee_lines }
    }
}

fn close_until(open: &mut Vec<(usize, u64)>, address: u64) {
    while open.len() > 1 && open[open.len() - 1].1 <= address {
        open.pop();
    }
}

/// A line's start and end, clamped to 32 bits like in Symbolic.
fn bounds(line: &Line) -> Range<u32> {
    let start = u32::try_from(line.address).unwrap_or(u32::MAX);
    start..start.saturating_add(u32::try_from(line.size).unwrap_or(u32::MAX))
}

/// Equivalent to `process_symbolic_function_recursive` in `symbolic-symcache/src/writer.rs`.
struct Traversal<'a> {
    tree: Tree,
    /// The calls whose callees are being visited, outermost first.
    open: Vec<Open>,
    /// Start address and call site index of the callees' lines, for each open call. The first entry is for the function itself,
    /// which has no call site.
    callees: Vec<(u32, u32)>,
    locations: &'a mut Locations,
}

struct Open {
    call: usize,
    /// Its entries in `callees`.
    callees: Range<usize>,
}

impl Traversal<'_> {
    fn run(&mut self) {
        for call in 0..self.tree.calls.len() {
            let Call { caller, address, size, .. } = self.tree.calls[call];
            while self.open.last().is_some_and(|open| call > 0 && open.call > caller) {
                self.close();
            }
            // Symbolic skips some calls with all of their callees: they aren't open.
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
            self.locations.ranges.put_if_free(address as u32, SourceLocation::without_line(function));
        }
        self.open.push(Open { call, callees: first_callee..self.callees.len() });
    }

    /// Adds the ranges of a call's lines, and the call sites of its callees' lines to `callees`.
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
                        self.callees.push((callee_line.start, self.locations.call_sites.insert(source)));
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
