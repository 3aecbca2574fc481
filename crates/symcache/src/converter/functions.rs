//! The functions of a symcache.

use std::collections::HashMap;

use super::names::cut;
use super::numbers::Numbers;
use super::segments::Segments;
use super::string_table::StringTable;
use crate::raw::{Function, NONE};

/// Symbolic's number of the unknown language, in which functions and their inlined calls are written.
const UNKNOWN_LANGUAGE: u32 = 0;

/// The functions of FUNC, INLINE_ORIGIN and PUBLIC records, as they stand in the symcache.
#[derive(Default)]
pub(crate) struct Functions {
    pub(crate) list: Segments<Function>,
    origins: Numbers,
    /// By offsets of names the functions of INLINE_ORIGIN records: `dump_syms` gives some a number for each file they are in.
    inlined: HashMap<u32, u32>,
}

impl Functions {
    /// Adds the function of a FUNC record, and gives its index.
    pub(crate) fn add(&mut self, name: u32, entry: u32) -> u32 {
        self.push(name, entry, UNKNOWN_LANGUAGE)
    }

    /// Adds the function of a PUBLIC record, and gives its index.
    pub(crate) fn add_public(&mut self, name: u32, entry: u32) -> u32 {
        self.push(name, entry, NONE)
    }

    /// Takes an INLINE_ORIGIN record. The last before an INLINE record counts.
    pub(crate) fn add_origin(&mut self, number: u64, name: &str, strings: &mut StringTable) {
        let index = self.inlined(name, strings);
        self.origins.set(number, index);
    }

    /// The index of the function with an INLINE_ORIGIN's number; of one without a name where there is no such record.
    #[inline]
    pub(crate) fn origin(&mut self, number: u64, strings: &mut StringTable) -> u32 {
        self.origins.get(number).unwrap_or_else(|| self.inlined("", strings))
    }

    fn inlined(&mut self, name: &str, strings: &mut StringTable) -> u32 {
        let name = strings.insert(&cut(name));
        match self.inlined.get(&name) {
            Some(index) => *index,
            None => {
                let index = self.push(name, NONE, UNKNOWN_LANGUAGE);
                self.inlined.insert(name, index);
                index
            }
        }
    }

    fn push(&mut self, name: u32, entry: u32, language: u32) -> u32 {
        self.list.push(Function { name, compilation_directory: NONE, entry, language });
        self.list.len() as u32 - 1
    }
}
