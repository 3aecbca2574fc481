//! Names and start addresses of the functions of calls.

use super::calls::Call;
use super::payload::Reader;
use super::pending_reads::PendingReads;
use super::strings::Strings;
use crate::lookup_error::LookupError;
use crate::raw::{NONE, Sections, numbers};

/// Symbolic's name for a function without one.
const UNKNOWN: &str = "?";

/// One name and start address per call.
pub(crate) struct Functions {
    /// Indexes into the strings of the result.
    pub(crate) names: Vec<u32>,
    /// `u32::MAX` for inlined functions.
    pub(crate) starts: Vec<u32>,
}

/// The functions of calls; their names are added to `strings`.
pub(crate) fn read_functions(
    reader: &mut Reader,
    sections: &Sections,
    calls: &[Call],
    strings: &mut Strings,
) -> Result<Functions, LookupError> {
    let mut pending = PendingReads::default();
    let mut is_unknown = false;
    for (index, call) in calls.iter().enumerate() {
        match call.function {
            NONE => is_unknown = true,
            function => pending.push(function, index as u32),
        }
    }
    let mut starts = vec![NONE; calls.len()];
    let mut pending_names = PendingReads::default();
    reader.for_each(
        &pending.by_record(),
        |read| sections.function_at(read.record()),
        |reader, read| {
            let record = reader.record::<16>(sections.function_at(read.record()))?;
            let [name, _, start, _] = numbers(&record);
            for call in read.requesters() {
                starts[call] = start;
                match name {
                    NONE => is_unknown = true,
                    name => pending_names.push(name, call as u32),
                }
            }
            Ok::<_, LookupError>(())
        },
    )?;
    let unknown = if is_unknown { strings.push(UNKNOWN) } else { 0 };
    let mut names = vec![unknown; calls.len()];
    strings.read(reader, sections, pending_names, |call, name| names[call] = name)?;
    Ok(Functions { names, starts })
}
