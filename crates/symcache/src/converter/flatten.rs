//! From a function with inlined calls to ranges, in the order of addresses, as nearly all functions allow.
//!
//! A line record says where code comes from in the innermost call; the calls around it follow from the inlinees. Symbolic
//! builds a tree of them, gives each call the ranges that its callees leave it, and looks for the call location of each
//! line (`process_symbolic_function_recursive` in `symbolic-symcache/src/writer.rs`). Where lines and inlinees are in good
//! order, going through both side by side comes to the same; [`super::inline_tree`] takes the functions where they aren't.

use super::call_locations::CallLocations;
use super::function::{Function, Inlinee, Line};
use super::ranges::Ranges;
use crate::raw::{NONE, SourceLocation};

/// Whether [`flatten`] can take the function. Its inlinees are nested.
pub(crate) fn is_plain(function: &Function, nested: &[Inlinee]) -> bool {
    let end = function.end();
    function.has_plain_lines
        && (function.address..=u64::from(u32::MAX)).contains(&end)
        && nested.iter().all(|inlinee| inlinee.size > 0 && inlinee.address + inlinee.size <= end)
}

/// The calls that are open at an address, outermost first; the first is the function itself.
#[derive(Default)]
pub(crate) struct Flattener {
    calls: Vec<Call>,
    /// Depths of calls that have a callee without lines, and where those end.
    lineless: Vec<(usize, u32)>,
}

/// A call whose code is at the address that has been reached.
#[derive(Clone, Copy)]
struct Call {
    end: u32,
    /// The index of the function.
    function: u32,
    /// Where it was called; of no meaning for the function itself.
    location: SourceLocation,
    /// The index of `location`, once a line needs it; [`NONE`] before, and for the function itself.
    call_location: u32,
    /// Up to here its lines and those of its callees have come.
    reached: u32,
    /// Whether a call in it has lines.
    has_callee: bool,
}

impl Flattener {
    /// Puts the ranges of a plain function, whose index is `number`.
    pub(crate) fn flatten(
        &mut self,
        function: &Function,
        number: u32,
        nested: &[Inlinee],
        calls: &mut CallLocations,
        ranges: &mut Ranges,
    ) {
        let end = function.end() as u32;
        let unknown_line = SourceLocation { file: NONE, line: 0, function: number, inlined_into: NONE };
        ranges.put_if_free(function.address as u32, unknown_line);
        if nested.is_empty() {
            for line in &function.lines {
                let location = SourceLocation { file: line.file, line: line.line, ..unknown_line };
                ranges.put(line.address as u32, location);
            }
        } else {
            self.flatten_calls(function, unknown_line, nested, calls, ranges);
        }
        ranges.end_at(end);
    }

    fn flatten_calls(
        &mut self,
        function: &Function,
        location: SourceLocation,
        nested: &[Inlinee],
        calls: &mut CallLocations,
        ranges: &mut Ranges,
    ) {
        self.lineless.clear();
        self.calls.clear();
        self.calls.push(Call {
            end: function.end() as u32,
            function: location.function,
            location,
            call_location: NONE,
            reached: function.address as u32,
            has_callee: false,
        });
        let mut nested = nested.iter().peekable();
        for line in &function.lines {
            let (mut start, end) = (line.address as u32, (line.address + line.size) as u32);
            while start < end {
                while let Some(inlinee) = nested.next_if(|inlinee| inlinee.address as u32 <= start) {
                    self.open(inlinee, calls, ranges);
                }
                self.close_until(start, ranges);
                // A line that goes on behind a call or into one is cut there.
                let call_end = self.calls.last().map_or(end, |call| call.end);
                let next_call = nested.peek().map_or(end, |inlinee| inlinee.address as u32);
                let piece_end = end.min(call_end).min(next_call);
                self.put_line(line, start, piece_end, calls, ranges);
                start = piece_end;
            }
        }
        for inlinee in nested {
            self.open(inlinee, calls, ranges);
        }
        self.close_to(1, ranges);
    }

    /// Comes to code of an inlinee, once the calls that end before have been closed.
    fn open(&mut self, inlinee: &Inlinee, calls: &mut CallLocations, ranges: &mut Ranges) {
        let (start, end) = (inlinee.address as u32, (inlinee.address + inlinee.size) as u32);
        self.close_until(start, ranges);
        self.close_to(inlinee.depth as usize + 1, ranges);
        let caller = self.reach(start, end, calls, ranges);
        let location = SourceLocation {
            file: inlinee.file,
            line: inlinee.line,
            function: caller.function,
            inlined_into: caller.call_location,
        };
        let function = inlinee.function;
        self.calls.push(Call { end, function, location, call_location: NONE, reached: start, has_callee: false });
    }

    fn put_line(&mut self, line: &Line, start: u32, end: u32, calls: &mut CallLocations, ranges: &mut Ranges) {
        let call = self.reach(start, end, calls, ranges);
        let inlined_into = call.call_location;
        ranges.put(start, SourceLocation { file: line.file, line: line.line, function: call.function, inlined_into });
    }

    /// Notes that the innermost call or a callee of it has the addresses from `start` to `end`. What was left out before
    /// belongs to the line of the call itself.
    fn reach(&mut self, start: u32, end: u32, calls: &mut CallLocations, ranges: &mut Ranges) -> Call {
        let depth = self.calls.len() - 1;
        let call = &mut self.calls[depth];
        if depth > 0 {
            if call.reached < start {
                ranges.put(call.reached, call.location);
            }
            if call.call_location == NONE {
                call.call_location = calls.index(call.location);
                self.calls[depth - 1].has_callee = true;
                while let Some((_, end)) = self.lineless.pop_if(|(caller, _)| *caller == depth - 1) {
                    ranges.end_at(end);
                }
            }
        }
        let call = &mut self.calls[depth];
        call.reached = end;
        *call
    }

    /// Closes the calls that end at `address` or before.
    fn close_until(&mut self, address: u32, ranges: &mut Ranges) {
        while self.calls.len() > 1 && self.calls.last().is_some_and(|call| call.end <= address) {
            self.close(ranges);
        }
    }

    /// Closes all but the outermost `depth` calls.
    fn close_to(&mut self, depth: usize, ranges: &mut Ranges) {
        while self.calls.len() > depth {
            self.close(ranges);
        }
    }

    fn close(&mut self, ranges: &mut Ranges) {
        let Some(call) = self.calls.pop() else { return };
        let caller = self.calls.len() - 1;
        while self.lineless.pop_if(|(depth, _)| *depth > caller).is_some() {}
        if call.reached < call.end {
            ranges.put(call.reached, call.location);
        }
        // Symbolic goes into callees only where one of them has a line.
        if call.call_location == NONE && !self.calls[caller].has_callee {
            self.lineless.push((caller, call.end));
        } else {
            ranges.end_at(call.end);
        }
    }
}
