//! From a function with inlined calls to ranges, in the order of addresses, as nearly all functions allow.
//!
//! A line record says where code comes from in the innermost call; the calls around it follow from the inlinees. Symbolic
//! builds a tree of them, gives each call the ranges that its callees leave it, and looks for the call location of each
//! line (`process_symbolic_function_recursive` in `symbolic-symcache/src/writer.rs`). Where lines and inlinees are in good
//! order, going through both side by side comes to the same; [`super::inline_tree`] takes the functions where they aren't.

use super::function::{Function, Inlinee, Line};
use super::source_locations::SourceLocations;
use crate::raw::{NONE, SourceLocation};

/// Whether [`flatten`] can take the function. Its inlinees are nested.
pub(crate) fn is_plain(function: &Function, nested: &[Inlinee]) -> bool {
    let end = function.end();
    function.has_plain_lines
        && (function.address..=u64::from(u32::MAX)).contains(&end)
        && nested.iter().all(|inlinee| inlinee.size > 0 && inlinee.address + inlinee.size <= end)
}

/// Puts the ranges of plain functions.
#[derive(Default)]
pub(crate) struct Flattener {
    /// The calls that are open at the address that has been reached, outermost first; the first is the function itself.
    calls: Vec<Call>,
    /// Calls without lines in a call that has no callee with lines so far: its depth, and where they end.
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
    /// Up to here its lines and those of its callees have come. The function itself has nothing to make up for.
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
        locations: &mut SourceLocations,
    ) {
        let unknown_line = SourceLocation { file: NONE, line: 0, function: number, inlined_into: NONE };
        locations.ranges.put_if_free(function.address as u32, unknown_line);
        if nested.is_empty() {
            for line in &function.lines {
                let location = SourceLocation { file: line.file, line: line.line, ..unknown_line };
                locations.ranges.put(line.address as u32, location);
            }
        } else {
            let end = function.end() as u32;
            self.lineless.clear();
            self.calls.clear();
            self.calls.push(Call {
                end,
                function: number,
                location: unknown_line,
                call_location: NONE,
                reached: u32::MAX,
                has_callee: false,
            });
            self.flatten_calls(&function.lines, nested, locations);
        }
        locations.ranges.end_at(function.end() as u32);
    }

    fn flatten_calls(&mut self, lines: &[Line], nested: &[Inlinee], locations: &mut SourceLocations) {
        let mut nested = nested.iter().peekable();
        // Where the innermost call ends or another begins.
        let mut boundary = 0;
        for line in lines {
            let (mut start, end) = (line.address as u32, (line.address + line.size) as u32);
            while boundary < end {
                // A line that goes on behind a call, or into one, is cut there.
                if start < boundary {
                    self.put_line(line, start, boundary, locations);
                    start = boundary;
                }
                while let Some(inlinee) = nested.next_if(|inlinee| inlinee.address as u32 <= start) {
                    self.open(inlinee, locations);
                }
                self.close_until(start, locations);
                let call_end = self.calls[self.calls.len() - 1].end;
                boundary = nested.peek().map_or(call_end, |inlinee| call_end.min(inlinee.address as u32));
            }
            self.put_line(line, start, end, locations);
        }
        for inlinee in nested {
            self.open(inlinee, locations);
        }
        while self.calls.len() > 1 {
            self.close(locations);
        }
    }

    #[inline]
    fn put_line(&mut self, line: &Line, start: u32, end: u32, locations: &mut SourceLocations) {
        let Call { function, call_location: inlined_into, .. } = *self.reach(start, end, locations);
        locations.ranges.put(start, SourceLocation { file: line.file, line: line.line, function, inlined_into });
    }

    /// Comes to code of an inlinee.
    fn open(&mut self, inlinee: &Inlinee, locations: &mut SourceLocations) {
        let (start, end) = (inlinee.address as u32, (inlinee.address + inlinee.size) as u32);
        self.close_until(start, locations);
        while self.calls.len() > inlinee.depth as usize + 1 {
            self.close(locations);
        }
        let Call { function, call_location: inlined_into, .. } = *self.reach(start, end, locations);
        let location = SourceLocation { file: inlinee.file, line: inlinee.line, function, inlined_into };
        let function = inlinee.function;
        self.calls.push(Call { end, function, location, call_location: NONE, reached: start, has_callee: false });
    }

    /// Notes that the innermost call has the addresses from `start` to `end`, for itself or for a callee.
    #[inline]
    fn reach(&mut self, start: u32, end: u32, locations: &mut SourceLocations) -> &Call {
        let depth = self.calls.len() - 1;
        let call = &self.calls[depth];
        if call.reached < start || (call.call_location == NONE && depth > 0) {
            self.make_up(depth, start, locations);
        }
        let call = &mut self.calls[depth];
        call.reached = call.reached.max(end);
        call
    }

    /// Makes a call the caller of lines. What its lines left out before `start` belongs to the line that called it.
    fn make_up(&mut self, depth: usize, start: u32, locations: &mut SourceLocations) {
        let call = &mut self.calls[depth];
        if call.reached < start {
            locations.ranges.put(call.reached, call.location);
        }
        if call.call_location == NONE {
            call.call_location = locations.calls.index(call.location);
            self.calls[depth - 1].has_callee = true;
            while let Some((_, end)) = self.lineless.pop_if(|(caller, _)| *caller == depth - 1) {
                locations.ranges.end_at(end);
            }
        }
    }

    /// Closes the calls that end at `address` or before.
    fn close_until(&mut self, address: u32, locations: &mut SourceLocations) {
        while self.calls.len() > 1 && self.calls[self.calls.len() - 1].end <= address {
            self.close(locations);
        }
    }

    fn close(&mut self, locations: &mut SourceLocations) {
        let Some(call) = self.calls.pop() else { return };
        let caller = self.calls.len() - 1;
        while self.lineless.pop_if(|(depth, _)| *depth > caller).is_some() {}
        if call.reached < call.end {
            locations.ranges.put(call.reached, call.location);
        }
        // Symbolic goes into callees only where one of them has a line.
        if call.call_location == NONE && !self.calls[caller].has_callee {
            self.lineless.push((caller, call.end));
        } else {
            locations.ranges.end_at(call.end);
        }
    }
}
