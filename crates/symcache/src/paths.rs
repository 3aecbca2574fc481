//! Full paths of calls' files.

use symbolic_common::{clean_path, join_path};

use crate::calls::Call;
use crate::payload::Reader;
use crate::sections::{Sections, numbers};
use crate::strings::Strings;
use crate::symcache::Damaged;
use crate::wanted::{NONE, Wanted};

/// For every call the number of its file's path in `strings`, to which the paths are added; 0 where it is unknown.
pub(crate) fn read_paths(
    reader: &mut Reader,
    sections: &Sections,
    calls: &[Call],
    strings: &mut Strings,
) -> Result<Vec<u32>, Damaged> {
    let mut wanted = Wanted::default();
    for (number, call) in calls.iter().enumerate() {
        if call.file != NONE {
            wanted.push(call.file, number as u32);
        }
    }
    let groups = wanted.groups();
    let mut wanted_parts = Wanted::default();
    let mut count = 0;
    reader.for_each(
        &groups,
        |group| sections.file_at(group.record()),
        |reader, group| {
            let parts: [u32; 3] = numbers(&reader.record::<24>(sections.file_at(group.record()))?);
            for part in parts {
                if part != NONE {
                    wanted_parts.push(part, count);
                }
                count += 1;
            }
            Ok(())
        },
    )?;

    let mut part_strings = Strings::default();
    let mut parts = vec![part_strings.push(""); count as usize];
    part_strings.read(reader, sections, wanted_parts, |part, string| parts[part] = string)?;

    let mut paths = vec![0; calls.len()];
    for (group, parts) in groups.iter().zip(parts.as_chunks::<3>().0) {
        let [compilation_folder, folder, name] = parts.map(|part| part_strings.get(part));
        let path = join_path(&join_path(compilation_folder, folder), name);
        let path = clean_path(&path);
        if !path.is_empty() {
            let number = strings.push(&path);
            group.who().for_each(|call| paths[call] = number);
        }
    }
    Ok(paths)
}
