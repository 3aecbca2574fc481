//! Full paths of the files of calls.

use symbolic_common::{clean_path, join_path};

use super::calls::Call;
use super::payload::Reader;
use super::pending_reads::PendingReads;
use super::strings::Strings;
use crate::lookup_error::LookupError;
use crate::raw::{NONE, Sections, numbers};

/// Adds the paths of the calls' files to `strings`, and returns the index of each call's path; 0 if it is unknown.
pub(crate) fn read_paths(
    reader: &mut Reader,
    sections: &Sections,
    calls: &[Call],
    strings: &mut Strings,
) -> Result<Vec<u32>, LookupError> {
    let mut pending = PendingReads::default();
    for (index, call) in calls.iter().enumerate() {
        if call.file != NONE {
            pending.push(call.file, index as u32);
        }
    }
    let reads = pending.by_record();
    let mut pending_parts = PendingReads::default();
    let mut count = 0;
    reader.for_each(
        &reads,
        |read| sections.file_at(read.record()),
        |reader, read| {
            let parts: [u32; 3] = numbers(&reader.record::<24>(sections.file_at(read.record()))?);
            for part in parts {
                if part != NONE {
                    pending_parts.push(part, count);
                }
                count += 1;
            }
            Ok::<_, LookupError>(())
        },
    )?;

    let mut part_strings = Strings::default();
    let mut parts = vec![part_strings.push(""); count as usize];
    part_strings.read(reader, sections, pending_parts, |part, string| parts[part] = string)?;

    let mut paths = vec![0; calls.len()];
    for (read, parts) in reads.iter().zip(parts.as_chunks::<3>().0) {
        let [compilation_directory, directory, name] = parts.map(|part| part_strings.get(part));
        let path = full_path(compilation_directory, directory, name);
        if !path.is_empty() {
            let index = strings.push(&path);
            read.requesters().for_each(|call| paths[call] = index);
        }
    }
    Ok(paths)
}

/// The same path as Symbolic's for these parts.
fn full_path(compilation_directory: &str, directory: &str, name: &str) -> String {
    let path = if compilation_directory.is_empty() {
        join_path(directory, name)
    } else {
        join_path(&join_path(compilation_directory, directory), name)
    };
    if is_clean(path.as_bytes()) { path } else { clean_path(&path).into_owned() }
}

/// Whether cleaning can be skipped, as with most paths: this is not a Windows path, no part starts with a dot, and it doesn't
/// end with a separator.
fn is_clean(path: &[u8]) -> bool {
    let has_backslash = path.iter().fold(false, |has, byte| has | (*byte == b'\\'));
    let has_dot = path.iter().zip(&path[path.len().min(1)..]).fold(false, |has, pair| has | (pair == (&b'/', &b'.')));
    let has_plain_start = path.first() != Some(&b'.') && path.get(1) != Some(&b':') && !path.starts_with(b"//");
    !has_backslash && !has_dot && has_plain_start && path.last() != Some(&b'/')
}
