//! The source files of a symcache.

use symbolic_common::split_path;

use super::id_map::IdMap;
use super::string_table::{StringTable, truncate};
use crate::raw::{File, NONE};

/// The files of the FILE records.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) list: Vec<File>,
    ids: IdMap,
}

impl Files {
    /// Adds a FILE record. The last record with an id wins.
    pub(crate) fn add(&mut self, id: u64, path: &str, strings: &mut StringTable) {
        let path = truncate(path);
        let (directory, name) = split_path(&path);
        let directory = directory.map_or(NONE, |directory| strings.insert(directory));
        self.ids.set(id, self.list.len() as u32);
        let name = strings.insert(name);
        self.list.push(File { compilation_directory: NONE, directory, name, source_server: [NONE; 3] });
    }

    /// The index of the file with an id; [`NONE`] if there is no such FILE record.
    #[inline]
    pub(crate) fn index(&self, id: u64) -> u32 {
        self.ids.get(id).unwrap_or(NONE)
    }
}
