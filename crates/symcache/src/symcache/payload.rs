//! The bytes of a symcache, from its file page by page or from memory.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use super::ReadAt;
use super::page_cache::PageCache;
use super::pages::{BEHIND_THE_END, Pages, WRONG_CHECKSUM};
use crate::lookup_error::Damaged;
use crate::trailer::{PAGE, page_checksum};

/// Items whose pages are asked for at once.
const LARGEST_BATCH: usize = 4096;

/// Items that are brought from memory to the processor at once.
const TOUCHED: usize = 64;

/// A symcache's bytes. Each page is checked when it is read.
pub(crate) struct Payload {
    read_at: ReadAt,
    length: u64,
    checksums: Vec<u64>,
    cache: Rc<RefCell<PageCache>>,
    file: u32,
    /// The beginning of the payload, or all of it, and room for what follows.
    held: Vec<u8>,
    /// How much of that was checked.
    checked: usize,
}

impl Payload {
    pub(crate) fn new(read_at: ReadAt, length: u64, checksums: Vec<u64>, cache: Rc<RefCell<PageCache>>) -> Self {
        let file = cache.borrow_mut().add_file(checksums.len());
        Self { read_at, length, checksums, cache, file, held: Vec::new(), checked: 0 }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    fn is_held(&self) -> bool {
        self.checked as u64 == self.length
    }

    /// Room for the next bytes, of so many pages or what is left. Panics for want of memory.
    pub(crate) fn room(&mut self, pages: usize) -> &mut [u8] {
        // It may be more than there is: a trap.
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        if self.held.is_empty() {
            // In one piece: growing would copy it, and take twice the memory.
            self.held.reserve_exact(length);
        }
        self.held.resize(length.min(self.checked + pages * PAGE), 0);
        &mut self.held[self.checked..]
    }

    /// Keeps what was put into the room in memory. Whether it was the last.
    pub(crate) fn hold(&mut self) -> Result<bool, Damaged> {
        for (page, number) in self.held[self.checked..].chunks(PAGE).zip(self.checked / PAGE..) {
            if page_checksum(page, number) != self.checksums[number] {
                return Err(WRONG_CHECKSUM);
            }
        }
        self.checked = self.held.len();
        Ok(self.is_held())
    }

    /// Lets `work` read.
    pub(crate) fn read<T, E>(&mut self, work: impl FnOnce(&mut Reader) -> Result<T, E>) -> Result<T, E> {
        if self.is_held() {
            return work(&mut Reader::Memory(&self.held));
        }
        let mut cache = self.cache.borrow_mut();
        work(&mut Reader::Pages(Pages {
            read_at: &mut self.read_at,
            length: self.length,
            checksums: &self.checksums,
            cache: &mut cache,
            file: self.file,
        }))
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.cache.borrow_mut().remove_file(self.file);
    }
}

/// Gives a payload's bytes.
pub(crate) enum Reader<'a> {
    Memory(&'a [u8]),
    Pages(Pages<'a>),
}

impl Reader<'_> {
    /// The bytes from `at` on, to the end of the page at least: never none.
    pub(crate) fn rest(&mut self, at: u64) -> Result<&[u8], Damaged> {
        match self {
            Self::Memory(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                rest.filter(|rest| !rest.is_empty()).ok_or(BEHIND_THE_END)
            }
            Self::Pages(pages) => pages.rest(at),
        }
    }

    /// The `N` bytes at `at`.
    pub(crate) fn record<const N: usize>(&mut self, at: u64) -> Result<[u8; N], Damaged> {
        let mut record = [0; N];
        let mut filled = 0;
        while filled < N {
            let rest = self.rest(at + filled as u64)?;
            if filled == 0
                && let Some(whole) = rest.first_chunk()
            {
                return Ok(*whole);
            }
            let part = &rest[..rest.len().min(N - filled)];
            record[filled..filled + part.len()].copy_from_slice(part);
            filled += part.len();
        }
        Ok(record)
    }

    /// Adds the `length` bytes at `at` to `text`.
    pub(crate) fn append(&mut self, at: u64, length: usize, text: &mut Vec<u8>) -> Result<(), Damaged> {
        let end = text.len() + length;
        while text.len() < end {
            let rest = self.rest(at + (length - (end - text.len())) as u64)?;
            text.extend_from_slice(&rest[..rest.len().min(end - text.len())]);
        }
        Ok(())
    }

    /// Calls `work` for each of the items, which are in the order of their places in the payload, `at`. Their pages are
    /// read beforehand, neighbours together.
    pub(crate) fn for_each<T: Copy, E: From<Damaged>>(
        &mut self,
        items: &[T],
        at: impl Fn(T) -> u64,
        mut work: impl FnMut(&mut Self, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let batch = match self {
            Self::Memory(_) => TOUCHED,
            Self::Pages(pages) => pages.cache.most().div_ceil(2).min(LARGEST_BATCH),
        };
        for items in items.chunks(batch) {
            match self {
                // Loads that don't wait for each other: the time of many is that of one.
                Self::Memory(bytes) => {
                    let touched = items.iter().filter_map(|item| bytes.get(at(*item) as usize));
                    black_box(touched.fold(0, |all, byte| all ^ byte));
                }
                Self::Pages(pages) => pages.expect(items.iter().map(|item| (at(*item) / PAGE as u64) as u32))?,
            }
            for item in items {
                work(self, *item)?;
            }
        }
        Ok(())
    }
}
