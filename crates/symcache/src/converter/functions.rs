//! The functions of a symcache.

use std::collections::BTreeMap;

use super::id_map::IdMap;
use super::segmented_vec::SegmentedVec;
use super::string_table::StringTable;
use crate::raw::{Function, NONE};

/// Symbolic's code of the unknown language, for functions and their inline calls.
const UNKNOWN_LANGUAGE: u32 = 0;

/// The functions of FUNC, INLINE_ORIGIN and PUBLIC records.
#[derive(Default)]
pub(crate) struct Functions {
    pub(crate) list: SegmentedVec<Function>,
    origins: IdMap,
    /// The functions of INLINE_ORIGIN records by the offset of their name: `dump_syms` writes some of them once per file.
    inlined: BTreeMap<u32, u32>,
}

impl Functions {
    /// Adds the function of a FUNC record and returns its index.
    pub(crate) fn add(&mut self, name: u32, entry: u32) -> u32 {
        self.push(name, entry, UNKNOWN_LANGUAGE)
    }

    /// Adds the function of a PUBLIC record and returns its index.
    pub(crate) fn add_public(&mut self, name: u32, entry: u32) -> u32 {
        self.push(name, entry, NONE)
    }

    /// Adds an INLINE_ORIGIN record. The last record with an id before an INLINE record wins.
    pub(crate) fn add_origin(&mut self, id: u64, name: &str, strings: &mut StringTable) {
        let index = self.inlined(name, strings);
        self.origins.set(id, index);
    }

    /// The index of the function with an INLINE_ORIGIN id. If there is no such record, a function with an empty name.
    #[inline]
    pub(crate) fn origin(&mut self, id: u64, strings: &mut StringTable) -> u32 {
        self.origins.get(id).unwrap_or_else(|| self.inlined("", strings))
    }

    fn inlined(&mut self, name: &str, strings: &mut StringTable) -> u32 {
        let name = strings.insert_name(name);
        if let Some(index) = self.inlined.get(&name) {
            return *index;
        }
        let index = self.push(name, NONE, UNKNOWN_LANGUAGE);
        self.inlined.insert(name, index);
        index
    }

    fn push(&mut self, name: u32, entry: u32, language: u32) -> u32 {
        self.list.push(Function { name, compilation_directory: NONE, entry, language });
        self.list.len() as u32 - 1
    }
}
