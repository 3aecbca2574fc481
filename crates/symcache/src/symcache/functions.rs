//! Names and first addresses of calls' functions.

use super::calls::Call;
use super::payload::Reader;
use super::sections::{Sections, numbers};
use super::strings::Strings;
use super::wanted::Wanted;
use crate::lookup_error::LookupError;
use crate::raw::NONE;

/// What Symbolic calls a function whose name is unknown.
const UNKNOWN: &str = "?";

/// One of each for every call.
pub(crate) struct Functions {
    /// As numbers in the answer's strings.
    pub(crate) names: Vec<u32>,
    /// `u32::MAX` for a function that was inlined.
    pub(crate) starts: Vec<u32>,
}

/// The functions of calls; their names are added to `strings`.
pub(crate) fn read_functions(
    reader: &mut Reader,
    sections: &Sections,
    calls: &[Call],
    strings: &mut Strings,
) -> Result<Functions, LookupError> {
    let mut wanted = Wanted::default();
    let mut is_unknown = false;
    for (number, call) in calls.iter().enumerate() {
        match call.function {
            NONE => is_unknown = true,
            function => wanted.push(function, number as u32),
        }
    }
    let mut starts = vec![NONE; calls.len()];
    let mut wanted_names = Wanted::default();
    reader.for_each(
        &wanted.groups(),
        |group| sections.function_at(group.record()),
        |reader, group| {
            let record = reader.record::<16>(sections.function_at(group.record()))?;
            let [name, _, start, _] = numbers(&record);
            for call in group.who() {
                starts[call] = start;
                match name {
                    NONE => is_unknown = true,
                    name => wanted_names.push(name, call as u32),
                }
            }
            Ok::<_, LookupError>(())
        },
    )?;
    let unknown = if is_unknown { strings.push(UNKNOWN) } else { 0 };
    let mut names = vec![unknown; calls.len()];
    strings.read(reader, sections, wanted_names, |call, name| names[call] = name)?;
    Ok(Functions { names, starts })
}
