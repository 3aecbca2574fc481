//! The ids by which records of a sym file refer to FILE and INLINE_ORIGIN records.

use std::collections::BTreeMap;

use crate::raw::NONE;

/// Maps the ids of FILE or INLINE_ORIGIN records to indexes.
#[derive(Default)]
pub(crate) struct IdMap {
    /// The first ids, as long as ids and indexes both count up: nearly all sym files have only such ids, and computing an
    /// index is faster than loading it.
    run: Run,
    /// Indexes by id; [`NONE`] for unused ids.
    list: Vec<u32>,
    /// Ids that would make the list too sparse.
    sparse: BTreeMap<u64, u32>,
    count: usize,
}

#[derive(Default)]
struct Run {
    id: u64,
    index: u32,
    length: u32,
}

impl IdMap {
    /// Maps an id to an index. The last one set wins.
    pub(crate) fn set(&mut self, id: u64, index: u32) {
        if self.count == 0 {
            self.run = Run { id, index, length: 0 };
        }
        let Run { length, .. } = self.run;
        match id.wrapping_sub(self.run.id) {
            position if position < u64::from(length) => self.run.length = position as u32,
            position if position == u64::from(length) && index == self.run.index + length => self.run.length += 1,
            _ => {}
        }
        self.count += 1;
        match usize::try_from(id) {
            // At most three unused entries per id.
            Ok(id) if id < 4 * self.count + 1024 => {
                if self.list.len() <= id {
                    self.list.resize(id + 1, NONE);
                }
                self.list[id] = index;
            }
            _ => {
                self.sparse.insert(id, index);
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<u32> {
        let position = id.wrapping_sub(self.run.id);
        if position < u64::from(self.run.length) { Some(self.run.index + position as u32) } else { self.load(id) }
    }

    fn load(&self, id: u64) -> Option<u32> {
        match usize::try_from(id).ok().and_then(|id| self.list.get(id)) {
            Some(index) if *index != NONE => Some(*index),
            _ => self.sparse.get(&id).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IdMap;

    #[test]
    fn returns_the_last_index_of_small_and_large_ids() {
        let mut ids = IdMap::default();
        let all = [0, 1, 900, 1 << 20, 1 << 32, u64::MAX];
        for (index, id) in all.iter().enumerate() {
            ids.set(*id, 77);
            ids.set(*id, index as u32);
        }
        assert_eq!(all.map(|id| ids.get(id)), [0, 1, 2, 3, 4, 5].map(Some));
        assert_eq!([2, 901, (1 << 32) + 1].map(|id| ids.get(id)), [None; 3]);
    }

    #[test]
    fn returns_the_last_index_of_an_id_that_was_too_large_for_the_list_at_first() {
        let mut ids = IdMap::default();
        ids.set(1500, 1);
        (0..1000).for_each(|id| ids.set(id, 0));
        assert_eq!(ids.get(1500), Some(1));
        ids.set(1500, 2);
        assert_eq!(ids.get(1500), Some(2));
    }

    #[test]
    fn returns_the_last_index_of_ids_that_count_up() {
        let mut ids = IdMap::default();
        (7..100).for_each(|id| ids.set(id, id as u32 + 3));
        ids.set(50, 1);
        ids.set(100, 103);
        let expected = |id| if id == 50 { 1 } else { id as u32 + 3 };
        assert!((7..=100).all(|id| ids.get(id) == Some(expected(id))));
        assert_eq!([6, 101].map(|id| ids.get(id)), [None; 2]);
    }
}
