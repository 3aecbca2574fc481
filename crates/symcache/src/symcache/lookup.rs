//! A whole lookup, section by section. In each section, the records that the offsets need are read once, in the file's order.

use super::calls::follow_calls;
use super::functions::read_functions;
use super::locations::Locations;
use super::paths::read_paths;
use super::payload::Reader;
use super::pending_reads::PendingReads;
use super::ranges::find_ranges;
use crate::lookup_error::LookupError;
use crate::raw::{NONE, Sections};

/// Rows of a result: they take 200 MB, and gigabytes as JSON.
const MAX_ROWS: usize = 1 << 24;

/// The source locations of offsets, in their order.
pub(crate) fn look_up(
    reader: &mut Reader,
    sections: &Sections,
    samples: &[u32],
    offsets: &[u32],
) -> Result<Locations, LookupError> {
    let mut pending = PendingReads::default();
    for (i, offset) in offsets.iter().enumerate() {
        pending.push(*offset, i as u32);
    }
    let reads = pending.by_record();
    let ranges = find_ranges(reader, sections, samples, reads.iter().map(|read| read.record()))?;
    let calls = follow_calls(reader, sections, &ranges)?;
    let mut locations = Locations::default();
    let found = &calls[ranges.len()..];
    let functions = read_functions(reader, sections, found, &mut locations.strings)?;
    let paths = read_paths(reader, sections, found, &mut locations.strings)?;

    let mut range_of = vec![0; offsets.len()];
    for (range, read) in reads.iter().enumerate() {
        read.requesters().for_each(|i| range_of[i] = range);
    }
    for range in range_of {
        let mut function_start = 0;
        let mut next = calls[range].caller;
        while next != NONE {
            let call = next as usize - ranges.len();
            locations.push_row(functions.names[call], paths[call], found[call].line);
            function_start = functions.starts[call];
            next = found[call].caller;
        }
        if locations.functions.len() > MAX_ROWS {
            return Err(LookupError::TooLarge);
        }
        locations.end_offset(function_start);
    }
    Ok(locations)
}
