//! Pages of many files in bounded memory.

use crate::trailer::PAGE;

/// Stands for no slot and no page.
const NONE: u32 = u32::MAX;

/// Slots that memory is taken for at a time: growing WebAssembly's is slow.
const BLOCK: usize = 1024;

/// Slots that are there from the beginning, so that the first lookup doesn't wait for their memory: 12 MiB, more than 500
/// offsets anywhere in the largest symcaches need.
const AT_ONCE: usize = 3072;

/// Memory for pages of files. When it is full, the least recently used page makes room.
pub struct PageCache {
    most: usize,
    blocks: Vec<Box<[[u8; PAGE]]>>,
    slots: Vec<Slot>,
    /// Slots without a page.
    vacant: Vec<u32>,
    oldest: u32,
    newest: u32,
    /// By a file's number and then by page, the slot that holds it; empty where the number is free.
    files: Vec<Vec<u32>>,
}

/// Which page it has, in a list from the least to the most recently used.
struct Slot {
    file: u32,
    page: u32,
    older: u32,
    newer: u32,
}

impl PageCache {
    /// A cache for so many pages, at least 2.
    pub fn new(pages: usize) -> Self {
        let (most, oldest, newest) = (pages.max(2), NONE, NONE);
        let (blocks, slots, vacant, files) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut cache = Self { most, blocks, slots, vacant, oldest, newest, files };
        while cache.slots.len() < most.min(AT_ONCE) {
            cache.add_block();
        }
        cache
    }

    /// Pages that are kept for certain while others of the same file are asked for.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A number for a file of so many pages.
    pub(crate) fn add_file(&mut self, pages: usize) -> u32 {
        let free = self.files.iter().position(Vec::is_empty);
        let number = free.unwrap_or_else(|| {
            self.files.push(Vec::new());
            self.files.len() - 1
        });
        self.files[number] = vec![NONE; pages.max(1)];
        number as u32
    }

    /// Forgets a file's pages, and frees its number.
    pub(crate) fn remove_file(&mut self, file: u32) {
        for slot in std::mem::take(&mut self.files[file as usize]) {
            if slot != NONE {
                self.unlink(slot);
                self.vacant.push(slot);
            }
        }
    }

    /// A page that is here, and thereby is the most recently used.
    pub(crate) fn get(&mut self, file: u32, page: u32) -> Option<&[u8; PAGE]> {
        let slot = self.files[file as usize][page as usize];
        if slot == NONE {
            return None;
        }
        if slot != self.newest {
            self.unlink(slot);
            self.link(slot);
        }
        Some(&self.blocks[slot as usize / BLOCK][slot as usize % BLOCK])
    }

    /// Makes room for a page that isn't here and lets `fill` fill it; what failed isn't kept.
    pub(crate) fn fill<E>(
        &mut self,
        file: u32,
        page: u32,
        fill: impl FnOnce(&mut [u8; PAGE]) -> Result<(), E>,
    ) -> Result<(), E> {
        let slot = self.vacate();
        if let Err(error) = fill(&mut self.blocks[slot as usize / BLOCK][slot as usize % BLOCK]) {
            self.vacant.push(slot);
            return Err(error);
        }
        let entry = &mut self.slots[slot as usize];
        (entry.file, entry.page) = (file, page);
        self.files[file as usize][page as usize] = slot;
        self.link(slot);
        Ok(())
    }

    /// A slot that is in no list.
    fn vacate(&mut self) -> u32 {
        if self.vacant.is_empty() && self.slots.len() < self.most {
            self.add_block();
        }
        if let Some(slot) = self.vacant.pop() {
            return slot;
        }
        let slot = self.oldest;
        self.unlink(slot);
        let Slot { file, page, .. } = self.slots[slot as usize];
        self.files[file as usize][page as usize] = NONE;
        slot
    }

    fn add_block(&mut self) {
        let (first, count) = (self.slots.len(), BLOCK.min(self.most - self.slots.len()));
        self.blocks.push(vec![[0; PAGE]; count].into_boxed_slice());
        self.slots.extend((0..count).map(|_| Slot { file: NONE, page: NONE, older: NONE, newer: NONE }));
        self.vacant.extend((first as u32..(first + count) as u32).rev());
    }

    fn link(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        (entry.older, entry.newer) = (self.newest, NONE);
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.slots[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { older, newer, .. } = self.slots[slot as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, PageCache};

    fn put(cache: &mut PageCache, file: u32, page: u32) {
        let fill = |bytes: &mut [u8; PAGE]| {
            bytes.fill(16 * file as u8 + page as u8);
            Ok::<_, ()>(())
        };
        cache.fill(file, page, fill).unwrap();
    }

    fn here(cache: &PageCache, file: u32) -> Vec<u32> {
        (0..8).filter(|page| cache.files[file as usize][*page as usize] != super::NONE).collect()
    }

    #[test]
    fn the_least_recently_used_page_makes_room() {
        let mut cache = PageCache::new(3);
        let [a, b] = [cache.add_file(8), cache.add_file(8)];
        put(&mut cache, a, 0);
        put(&mut cache, a, 1);
        put(&mut cache, b, 0);
        assert_eq!(cache.get(a, 0), Some(&[0; PAGE]));
        put(&mut cache, b, 7);
        assert_eq!((here(&cache, a), here(&cache, b)), (vec![0], vec![0, 7]));
        put(&mut cache, b, 3);
        assert_eq!((here(&cache, a), here(&cache, b)), (vec![0], vec![3, 7]));
        assert_eq!(cache.get(b, 7), Some(&[23; PAGE]));
    }

    #[test]
    fn a_removed_file_leaves_room_and_its_number() {
        let mut cache = PageCache::new(2);
        let [a, b] = [cache.add_file(8), cache.add_file(8)];
        put(&mut cache, a, 0);
        put(&mut cache, b, 5);
        cache.remove_file(a);
        put(&mut cache, b, 6);
        assert_eq!(here(&cache, b), [5, 6]);
        assert_eq!(cache.add_file(8), a);
        assert!(here(&cache, a).is_empty());
    }

    #[test]
    fn a_page_that_failed_is_not_kept() {
        let mut cache = PageCache::new(2);
        let a = cache.add_file(8);
        assert_eq!(cache.fill(a, 4, |_| Err("no")), Err("no"));
        assert!(here(&cache, a).is_empty());
        put(&mut cache, a, 4);
        put(&mut cache, a, 5);
        assert_eq!(here(&cache, a), [4, 5]);
    }
}
