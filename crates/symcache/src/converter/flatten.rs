//! Converts a function with inline calls to ranges, in one sweep over its addresses.
//!
//! A line record is the source line in the innermost call. The inlinees tell the calls around it. Symbolic builds a tree of
//! them, assigns each call the ranges that its callees leave, and searches the call site of each line
//! (`process_symbolic_function_recursive` in `symbolic-symcache/src/writer.rs`). For nearly all functions a sweep over the sorted
//! lines and inlinees has the same result; [`super::inline_tree`] converts the others.

use super::function::{Function, Inlinee, Line};
use super::locations::Locations;
use crate::raw::{NONE, SourceLocation};

/// Whether [`Flattener`] can convert the function, whose inlinees are nested.
pub(crate) fn is_plain(function: &Function, nested: &[Inlinee]) -> bool {
    let end = function.end();
    function.has_plain_lines
        && (function.address..=u64::from(u32::MAX)).contains(&end)
        && nested.iter().all(|inlinee| inlinee.size > 0 && inlinee.address + inlinee.size <= end)
}

/// Adds the ranges of plain functions.
#[derive(Default)]
pub(crate) struct Flattener {
    /// The calls at the current address, outermost first. The first is the function itself.
    calls: Vec<Call>,
    /// Finished calls without lines, whose caller has no callee with lines so far: the caller's depth, and the end of the call.
    lineless: Vec<(usize, u32)>,
}

/// A call at the current address.
#[derive(Clone, Copy)]
struct Call {
    end: u32,
    /// Index of the callee.
    function: u32,
    /// Its call site; unused for the function itself.
    location: SourceLocation,
    /// Index of `location` once a line needs it; [`NONE`] before, and for the function itself.
    call_site: u32,
    /// End of its lines and callees so far. The function itself has no gaps to fill: `u32::MAX`.
    covered: u32,
    /// Whether one of its callees has lines.
    has_callee: bool,
}

impl Flattener {
    /// Adds the ranges of a plain function.
    pub(crate) fn flatten(&mut self, function: &Function, index: u32, nested: &[Inlinee], locations: &mut Locations) {
        let unknown_line = SourceLocation::without_line(index);
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
                function: index,
                location: unknown_line,
                call_site: NONE,
                covered: u32::MAX,
                has_callee: false,
            });
            self.flatten_calls(&function.lines, nested, locations);
        }
        locations.ranges.end_at(function.end() as u32);
    }

    fn flatten_calls(&mut self, lines: &[Line], nested: &[Inlinee], locations: &mut Locations) {
        let mut nested = nested.iter().peekable();
        // Where the innermost call ends or the next one starts.
        let mut boundary = 0;
        for line in lines {
            let (mut start, end) = (line.address as u32, (line.address + line.size) as u32);
            while boundary < end {
                // Split the line at the boundary.
                if start < boundary {
                    self.put_line(line, start, boundary, locations);
                    start = boundary;
                }
                while let Some(inlinee) = nested.next_if(|inlinee| inlinee.address as u32 <= start) {
                    self.enter(inlinee, locations);
                }
                self.leave_until(start, locations);
                let call_end = self.calls[self.calls.len() - 1].end;
                boundary = nested.peek().map_or(call_end, |inlinee| call_end.min(inlinee.address as u32));
            }
            self.put_line(line, start, end, locations);
        }
        for inlinee in nested {
            self.enter(inlinee, locations);
        }
        while self.calls.len() > 1 {
            self.leave(locations);
        }
    }

    #[inline]
    fn put_line(&mut self, line: &Line, start: u32, end: u32, locations: &mut Locations) {
        let Call { function, call_site: inlined_into, .. } = *self.extend(start, end, locations);
        locations.ranges.put(start, SourceLocation { file: line.file, line: line.line, function, inlined_into });
    }

    /// Enters an inlinee.
    fn enter(&mut self, inlinee: &Inlinee, locations: &mut Locations) {
        let (start, end) = (inlinee.address as u32, (inlinee.address + inlinee.size) as u32);
        self.leave_until(start, locations);
        while self.calls.len() > inlinee.depth as usize + 1 {
            self.leave(locations);
        }
        let Call { function, call_site: inlined_into, .. } = *self.extend(start, end, locations);
        let location = SourceLocation { file: inlinee.file, line: inlinee.line, function, inlined_into };
        let function = inlinee.function;
        self.calls.push(Call { end, function, location, call_site: NONE, covered: start, has_callee: false });
    }

    /// Extends the innermost call to `end`, for a line or a callee from `start`.
    #[inline]
    fn extend(&mut self, start: u32, end: u32, locations: &mut Locations) -> &Call {
        let depth = self.calls.len() - 1;
        let call = &self.calls[depth];
        if call.covered < start || (call.call_site == NONE && depth > 0) {
            self.fill_gap(depth, start, locations);
        }
        let call = &mut self.calls[depth];
        call.covered = call.covered.max(end);
        call
    }

    /// Assigns the gap before `start` to the call site, and makes sure that the call has an index.
    fn fill_gap(&mut self, depth: usize, start: u32, locations: &mut Locations) {
        let call = &mut self.calls[depth];
        if call.covered < start {
            locations.ranges.put(call.covered, call.location);
        }
        if call.call_site == NONE {
            call.call_site = locations.call_sites.insert(call.location);
            self.calls[depth - 1].has_callee = true;
            while let Some((_, end)) = self.lineless.pop_if(|(caller, _)| *caller == depth - 1) {
                locations.ranges.end_at(end);
            }
        }
    }

    /// Leaves the calls that end at `address` or before.
    fn leave_until(&mut self, address: u32, locations: &mut Locations) {
        while self.calls.len() > 1 && self.calls[self.calls.len() - 1].end <= address {
            self.leave(locations);
        }
    }

    fn leave(&mut self, locations: &mut Locations) {
        let Some(call) = self.calls.pop() else { return };
        let caller = self.calls.len() - 1;
        while self.lineless.pop_if(|(depth, _)| *depth > caller).is_some() {}
        if call.covered < call.end {
            locations.ranges.put(call.covered, call.location);
        }
        // Symbolic only descends into callees if one of them has a line.
        if call.call_site == NONE && !self.calls[caller].has_callee {
            self.lineless.push((caller, call.end));
        } else {
            locations.ranges.end_at(call.end);
        }
    }
}
