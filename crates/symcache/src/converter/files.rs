//! The source files of a symcache.

use symbolic_common::split_path;

use super::names::cut;
use super::numbers::Numbers;
use super::string_table::StringTable;
use crate::raw::{File, NONE};

/// The FILE records of a sym file, as they stand in the symcache.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) list: Vec<File>,
    numbers: Numbers,
}

impl Files {
    /// Takes a FILE record. The last of a number counts.
    pub(crate) fn add(&mut self, number: u64, path: &str, strings: &mut StringTable) {
        let path = cut(path);
        let (directory, name) = split_path(&path);
        let directory = directory.map_or(NONE, |directory| strings.insert(directory));
        self.numbers.set(number, self.list.len() as u32);
        self.list.push(File {
            compilation_directory: NONE,
            directory,
            name: strings.insert(name),
            source_server: [NONE; 3],
        });
    }

    /// The index of the file with a number; [`NONE`] where there is no such FILE record.
    #[inline]
    pub(crate) fn index(&self, number: u64) -> u32 {
        self.numbers.get(number).unwrap_or(NONE)
    }
}
