//! Pages of many files in bounded memory.

use crate::trailer::PAGE;

/// Marks a page that is in no slot.
const NONE: u32 = u32::MAX;

/// Slots allocated at a time, because growing WebAssembly's memory is slow.
const BLOCK: usize = 1024;

/// Slots allocated in advance, so that the first lookup doesn't wait for memory: 12 MiB, more than 500 offsets anywhere
/// in the largest symcaches need.
const PREALLOCATED: usize = 3 * BLOCK;

/// Memory for pages of files. When it is full, pages that were not used lately are evicted, in the order of their slots
/// (the CLOCK algorithm): a hit costs one store, where a list of recently used pages would cost several.
#[derive(Default)]
pub struct PageCache {
    max_pages: usize,
    blocks: Vec<Box<[[u8; PAGE]]>>,
    /// The file and the page that each slot holds.
    slots: Vec<Option<(u32, u32)>>,
    /// For each slot whether its page was used since the hand last came by.
    used: Vec<bool>,
    /// The slot to be filled next, unless its page is in use.
    hand: usize,
    /// By file and then by page the slot that holds it. A file without pages is a free index.
    files: Vec<Vec<u32>>,
}

impl PageCache {
    /// A cache for `max_pages`, at least 2.
    pub fn new(max_pages: usize) -> Self {
        let mut cache = Self { max_pages: max_pages.max(2), ..Self::default() };
        while cache.slots.len() < cache.max_pages.min(PREALLOCATED) {
            cache.add_block();
        }
        cache
    }

    pub(crate) fn max_pages(&self) -> usize {
        self.max_pages
    }

    /// Adds a file with this many pages and returns its index.
    pub(crate) fn add_file(&mut self, pages: usize) -> u32 {
        let index = self.files.iter().position(Vec::is_empty).unwrap_or_else(|| {
            self.files.push(Vec::new());
            self.files.len() - 1
        });
        self.files[index] = vec![NONE; pages.max(1)];
        index as u32
    }

    /// Drops a file's pages and frees its index.
    pub(crate) fn remove_file(&mut self, file: u32) {
        for slot in std::mem::take(&mut self.files[file as usize]) {
            if slot != NONE {
                self.slots[slot as usize] = None;
                self.used[slot as usize] = false;
            }
        }
    }

    /// The slot that holds a page, if it is cached.
    #[inline]
    pub(crate) fn slot(&self, file: u32, page: u32) -> Option<u32> {
        self.files[file as usize].get(page as usize).copied().filter(|slot| *slot != NONE)
    }

    /// The page in a slot.
    #[inline]
    pub(crate) fn page(&self, slot: u32) -> &[u8; PAGE] {
        &self.blocks[slot as usize / BLOCK][slot as usize % BLOCK]
    }

    /// Spares the page in a slot from the next eviction. Not part of [`Self::page`], where it would slow down lookups by 15 %.
    #[inline]
    pub(crate) fn mark_used(&mut self, slot: u32) {
        // Until the cache is full, nothing is evicted.
        if self.slots.len() == self.max_pages {
            self.used[slot as usize] = true;
        }
    }

    /// Lets `fill` fill consecutive pages of a file, none of which is cached: `count` or as many as fit side by side.
    /// Returns how many. Nothing is cached if it fails.
    pub(crate) fn fill<E>(
        &mut self,
        file: u32,
        first: u32,
        count: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let start = self.next_slot();
        let mut end = start + 1;
        while end - start < count && end < self.slots.len() && !end.is_multiple_of(BLOCK) && !self.used[end] {
            end += 1;
        }
        for slot in &mut self.slots[start..end] {
            if let Some((file, page)) = slot.take() {
                self.files[file as usize][page as usize] = NONE;
            }
        }
        self.hand = end;
        let block = start / BLOCK * BLOCK;
        fill(self.blocks[start / BLOCK][start - block..end - block].as_flattened_mut())?;
        for (page, slot) in (first..).zip(start..end) {
            self.slots[slot] = Some((file, page));
            self.files[file as usize][page as usize] = slot as u32;
        }
        Ok(end - start)
    }

    /// Moves the hand to the next slot that may be filled.
    fn next_slot(&mut self) -> usize {
        loop {
            if self.hand == self.slots.len() && !self.add_block() {
                self.hand = 0;
            }
            if !std::mem::take(&mut self.used[self.hand]) {
                return self.hand;
            }
            self.hand += 1;
        }
    }

    /// Whether there was memory left for more slots.
    fn add_block(&mut self) -> bool {
        let count = BLOCK.min(self.max_pages - self.slots.len());
        if count > 0 {
            self.blocks.push(vec![[0; PAGE]; count].into_boxed_slice());
            self.slots.resize(self.slots.len() + count, None);
            self.used.resize(self.slots.len(), false);
        }
        count > 0
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, PageCache};

    fn put(cache: &mut PageCache, file: u32, page: u32, count: usize) -> usize {
        let fill = |bytes: &mut [u8]| {
            for (bytes, page) in bytes.chunks_mut(PAGE).zip(page as u8..) {
                bytes.fill(16 * file as u8 + page);
            }
            Ok::<_, ()>(())
        };
        cache.fill(file, page, count, fill).unwrap()
    }

    fn page(cache: &mut PageCache, file: u32, page: u32) -> Option<[u8; PAGE]> {
        let slot = cache.slot(file, page)?;
        cache.mark_used(slot);
        Some(*cache.page(slot))
    }

    fn cached(cache: &PageCache, file: u32) -> Vec<u32> {
        (0..8).filter(|page| cache.slot(file, *page).is_some()).collect()
    }

    #[test]
    fn evicts_pages_that_were_not_used_since_the_last_round() {
        let mut cache = PageCache::new(3);
        let [a, b] = [cache.add_file(8), cache.add_file(8)];
        put(&mut cache, a, 0, 1);
        put(&mut cache, a, 1, 1);
        put(&mut cache, b, 0, 1);
        assert_eq!(page(&mut cache, a, 0), Some([0; PAGE]));
        put(&mut cache, b, 7, 1);
        assert_eq!((cached(&cache, a), cached(&cache, b)), (vec![0], vec![0, 7]));
        put(&mut cache, b, 3, 1);
        assert_eq!((cached(&cache, a), cached(&cache, b)), (vec![0], vec![3, 7]));
        assert_eq!(page(&mut cache, b, 7), Some([23; PAGE]));
    }

    #[test]
    fn fills_pages_side_by_side_as_far_as_none_in_between_is_used() {
        let mut cache = PageCache::new(5);
        let [a, b] = [cache.add_file(8), cache.add_file(8)];
        assert_eq!(put(&mut cache, a, 2, 8), 5);
        assert_eq!(page(&mut cache, a, 5), Some([5; PAGE]));
        assert_eq!(put(&mut cache, b, 0, 8), 3);
        assert_eq!(put(&mut cache, b, 3, 8), 1);
        assert_eq!((cached(&cache, a), cached(&cache, b)), (vec![5], vec![0, 1, 2, 3]));
        assert_eq!(page(&mut cache, b, 2), Some([18; PAGE]));
    }

    #[test]
    fn a_removed_file_leaves_its_slots_and_its_index() {
        let mut cache = PageCache::new(2);
        let [a, b] = [cache.add_file(8), cache.add_file(8)];
        put(&mut cache, a, 0, 1);
        put(&mut cache, b, 5, 1);
        cache.remove_file(a);
        put(&mut cache, b, 6, 1);
        assert_eq!(cached(&cache, b), [5, 6]);
        assert_eq!(cache.add_file(8), a);
        assert!(cached(&cache, a).is_empty());
    }

    #[test]
    fn pages_that_could_not_be_filled_are_not_cached() {
        let mut cache = PageCache::new(2);
        let a = cache.add_file(8);
        assert_eq!(cache.fill(a, 4, 2, |_| Err("no")), Err("no"));
        assert!(cached(&cache, a).is_empty());
        put(&mut cache, a, 4, 2);
        assert_eq!(cached(&cache, a), [4, 5]);
    }
}
