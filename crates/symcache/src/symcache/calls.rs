//! From ranges to the calls there.

use super::payload::Reader;
use super::pending_reads::PendingReads;
use crate::lookup_error::{Damaged, LookupError};
use crate::raw::{NONE, Sections, numbers};

/// Limits the memory of a result.
const MAX_CALLS: usize = 1 << 24;

/// A source location whose caller is another call.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// [`NONE`] if it is unknown.
    pub(crate) file: u32,
    pub(crate) line: u32,
    /// [`NONE`] if it is unknown.
    pub(crate) function: u32,
    /// The index of the call that this one was inlined into, or [`NONE`].
    pub(crate) caller: u32,
}

/// The calls of ranges, which may be [`NONE`]. The first calls represent the ranges: their caller is the innermost call, or
/// [`NONE`].
pub(crate) fn follow_calls(reader: &mut Reader, sections: &Sections, ranges: &[u32]) -> Result<Vec<Call>, LookupError> {
    let mut calls = vec![Call { file: NONE, line: 0, function: NONE, caller: NONE }; ranges.len()];
    let mut pending = PendingReads::default();
    for (position, range) in ranges.iter().enumerate() {
        if *range != NONE {
            pending.push(sections.locations - sections.ranges + range, position as u32);
        }
    }
    let mut is_innermost = true;
    while !pending.is_empty() {
        let mut callers = PendingReads::default();
        reader.for_each(
            &pending.by_record(),
            |read| sections.location_at(read.record()),
            |reader, read| {
                let location = read.record();
                let record = numbers(&reader.record::<16>(sections.location_at(location))?);
                let [file, line, function, caller] = record;
                if is_innermost && record == [NONE; 4] {
                    return Ok(());
                }
                if (file != NONE && file >= sections.files) || (function != NONE && function >= sections.functions) {
                    return Err(Damaged("source location without its file or function").into());
                }
                // Callers precede their callees in the file, so that chains of them can't be cyclic.
                if caller != NONE && caller >= location {
                    return Err(Damaged("caller behind its callee").into());
                }
                if calls.len() > MAX_CALLS {
                    return Err(LookupError::TooLarge);
                }
                let call = calls.len() as u32;
                calls.push(Call { file, line, function, caller: NONE });
                if caller != NONE {
                    callers.push(caller, call);
                }
                read.requesters().for_each(|requester| calls[requester].caller = call);
                Ok(())
            },
        )?;
        pending = callers;
        is_innermost = false;
    }
    Ok(calls)
}
