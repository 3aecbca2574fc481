//! The bytes of a symcache, read from its file page by page.

use std::cell::RefCell;
use std::hint::black_box;
use std::ops::Range;
use std::rc::Rc;

use super::ReadAt;
use super::page_cache::PageCache;
use crate::lookup_error::Damaged;
use crate::trailer::{PAGE, page_checksum};

/// Pages per read: 256 KiB.
const MAX_RUN: usize = 64;

/// Records whose missing pages are read together.
const MAX_BATCH: usize = 4096;

/// Records that are prefetched into the processor's cache together.
const PREFETCHED: usize = 64;

/// The bytes of a symcache. Each page is verified when it is read into the cache.
pub(crate) struct Payload {
    read_at: ReadAt,
    length: u64,
    checksums: Vec<u64>,
    cache: Rc<RefCell<PageCache>>,
    file: u32,
    /// Pages that were read ahead.
    pages_ahead: usize,
}

impl Payload {
    pub(crate) fn new(read_at: ReadAt, length: u64, checksums: Vec<u64>, cache: Rc<RefCell<PageCache>>) -> Self {
        let file = cache.borrow_mut().add_file(checksums.len());
        Self { read_at, length, checksums, cache, file, pages_ahead: 0 }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn checksums(&self) -> &[u64] {
        &self.checksums
    }

    /// Calls `work` with a reader.
    pub(crate) fn read<T, E>(&mut self, work: impl FnOnce(&mut Reader) -> Result<T, E>) -> Result<T, E> {
        work(&mut Reader {
            read_at: &mut self.read_at,
            length: self.length,
            checksums: &self.checksums,
            cache: &mut self.cache.borrow_mut(),
            file: self.file,
        })
    }

    /// Reads the next `pages` into the cache, unless they are there. Returns whether that was the end; then the next call
    /// starts over.
    pub(crate) fn read_ahead(&mut self, pages: usize) -> Result<bool, Damaged> {
        let (start, count) = (self.pages_ahead, self.checksums.len());
        let end = count.min(start + pages);
        self.read(|reader| reader.load(start as u32..end as u32))?;
        self.pages_ahead = if end == count { 0 } else { end };
        Ok(end == count)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.cache.borrow_mut().remove_file(self.file);
    }
}

/// Reads a payload's bytes.
pub(crate) struct Reader<'a> {
    read_at: &'a mut ReadAt,
    length: u64,
    checksums: &'a [u64],
    cache: &'a mut PageCache,
    file: u32,
}

impl Reader<'_> {
    /// The bytes from `at` to the end of their page, at least one.
    #[inline]
    pub(crate) fn rest(&mut self, at: u64) -> Result<&[u8], Damaged> {
        if at >= self.length {
            return Err(Damaged("position behind the end"));
        }
        let (page, start) = split(at);
        let slot = match self.cache.slot(self.file, page) {
            Some(slot) => slot,
            None => self.read_page(page)?,
        };
        let bytes = self.cache.page(slot);
        let length = (self.length - (at - start as u64)).min(PAGE as u64) as usize;
        Ok(&bytes[start..length])
    }

    /// The `N` bytes at `at`.
    #[inline]
    pub(crate) fn record<const N: usize>(&mut self, at: u64) -> Result<[u8; N], Damaged> {
        if let Some(record) = self.rest(at)?.first_chunk() {
            return Ok(*record);
        }
        let mut record = Vec::with_capacity(N);
        self.append(at, N, &mut record)?;
        Ok(*record.first_chunk().expect("as many were appended"))
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

    /// Calls `work` for each record; `at` is its position in the payload, ascending. Missing pages are read
    /// first, consecutive ones together.
    pub(crate) fn for_each<T: Copy, E: From<Damaged>>(
        &mut self,
        records: &[T],
        at: impl Fn(T) -> u64,
        mut work: impl FnMut(&mut Self, T) -> Result<(), E>,
    ) -> Result<(), E> {
        for batch in records.chunks(self.cache.max_pages().div_ceil(2).min(MAX_BATCH)) {
            self.load(batch.iter().map(|record| split(at(*record)).0))?;
            for records in batch.chunks(PREFETCHED) {
                // Independent loads, which the processor executes in parallel.
                black_box(records.iter().fold(0, |all, record| all ^ self.peek(at(*record))));
                for record in records {
                    work(self, *record)?;
                }
            }
        }
        Ok(())
    }

    fn peek(&self, at: u64) -> u8 {
        let (page, start) = split(at);
        self.cache.slot(self.file, page).map_or(0, |slot| self.cache.page(slot)[start])
    }

    /// Reads those of the ascending pages that are not cached.
    fn load(&mut self, pages: impl Iterator<Item = u32>) -> Result<(), Damaged> {
        let mut run = 0..0;
        for page in pages {
            if let Some(slot) = self.cache.slot(self.file, page) {
                self.cache.mark_used(slot);
            } else if run.contains(&page) || page as usize >= self.checksums.len() {
                continue;
            } else if page == run.end && run.len() < MAX_RUN {
                run.end += 1;
            } else {
                self.read_pages(run)?;
                run = page..page + 1;
            }
        }
        self.read_pages(run)
    }

    #[cold]
    fn read_page(&mut self, page: u32) -> Result<u32, Damaged> {
        self.read_pages(page..page + 1)?;
        Ok(self.cache.slot(self.file, page).expect("it was read"))
    }

    /// Reads pages that are not cached.
    fn read_pages(&mut self, pages: Range<u32>) -> Result<(), Damaged> {
        let Self { read_at, length, checksums, cache, file } = self;
        let mut next = pages.start;
        while next < pages.end {
            next += cache.fill(*file, next, (pages.end - next) as usize, |slots| {
                let at = u64::from(next) * PAGE as u64;
                let length = (*length - at).min(slots.len() as u64) as usize;
                let bytes = &mut slots[..length];
                read_exactly(read_at, bytes, at)?;
                let mut indexed = bytes.chunks(PAGE).zip(next as usize..);
                let is_sound = indexed.all(|(page, index)| page_checksum(page, index) == checksums[index]);
                if is_sound { Ok(()) } else { Err(Damaged("page with a wrong checksum")) }
            })? as u32;
        }
        Ok(())
    }
}

/// The page of a position in the payload, and the position on that page.
fn split(at: u64) -> (u32, usize) {
    ((at / PAGE as u64) as u32, (at % PAGE as u64) as usize)
}

/// Fills `into` with a file's bytes.
pub(crate) fn read_exactly(read_at: &mut ReadAt, into: &mut [u8], offset: u64) -> Result<(), Damaged> {
    match read_at(into, offset) {
        Some(length) if length == into.len() => Ok(()),
        Some(_) => Err(Damaged("shorter than its size")),
        None => Err(Damaged("can't be read")),
    }
}
