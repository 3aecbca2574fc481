//! Reading a payload page by page.

use super::ReadAt;
use super::page_cache::PageCache;
use crate::lookup_error::Damaged;
use crate::trailer::{PAGE, page_checksum};

/// Pages that one read brings at most: 256 KiB.
const LONGEST_RUN: usize = 64;

/// Pages nobody asked for that are read rather than reading twice: as long as copying them takes less than another call.
const WIDEST_GAP: u32 = 1;

/// A payload whose pages are read when they are needed, and checked then.
pub(crate) struct Pages<'a> {
    pub(crate) read_at: &'a mut ReadAt,
    pub(crate) length: u64,
    pub(crate) checksums: &'a [u64],
    pub(crate) cache: &'a mut PageCache,
    pub(crate) file: u32,
}

pub(crate) const WRONG_CHECKSUM: Damaged = Damaged("a page with a wrong checksum");
pub(crate) const BEHIND_THE_END: Damaged = Damaged("a place behind its end");

impl Pages<'_> {
    /// The bytes from `at` to the end of its page.
    pub(crate) fn rest(&mut self, at: u64) -> Result<&[u8], Damaged> {
        if at >= self.length {
            return Err(BEHIND_THE_END);
        }
        let (page, start) = ((at / PAGE as u64) as u32, (at % PAGE as u64) as usize);
        let length = self.bytes_of(page);
        if self.cache.get(self.file, page).is_none() {
            self.read_page(page)?;
        }
        let bytes = self.cache.get(self.file, page).expect("it was read");
        Ok(&bytes[start..length])
    }

    /// Reads of some pages, in their order, those that aren't here: neighbours in one read.
    pub(crate) fn expect(&mut self, pages: impl Iterator<Item = u32>) -> Result<(), Damaged> {
        let mut missing: Vec<u32> = Vec::new();
        for page in pages {
            let is_known = missing.last() == Some(&page) || page as usize >= self.checksums.len();
            if !is_known && self.cache.get(self.file, page).is_none() {
                missing.push(page);
            }
        }
        let mut buffer = Vec::new();
        let mut rest = missing.as_slice();
        while let [first, ..] = *rest {
            let in_reach = |pair: &[u32]| pair[1] - pair[0] <= WIDEST_GAP + 1 && pair[1] - first < LONGEST_RUN as u32;
            let count = 1 + rest.windows(2).take_while(|pair| in_reach(pair)).count();
            let (run, behind) = rest.split_at(count);
            match run {
                [page] => self.read_page(*page)?,
                run => self.read_run(run, &mut buffer)?,
            }
            rest = behind;
        }
        Ok(())
    }

    fn read_page(&mut self, page: u32) -> Result<(), Damaged> {
        let (length, expected) = (self.bytes_of(page), self.checksums[page as usize]);
        let read_at = &mut *self.read_at;
        self.cache.fill(self.file, page, |slot| {
            let bytes = &mut slot[..length];
            read_exactly(read_at, bytes, u64::from(page) * PAGE as u64)?;
            if page_checksum(bytes, page as usize) == expected { Ok(()) } else { Err(WRONG_CHECKSUM) }
        })
    }

    fn read_run(&mut self, run: &[u32], buffer: &mut Vec<u8>) -> Result<(), Damaged> {
        let (first, last) = (run[0], run[run.len() - 1]);
        let start = |page: u32| (page - first) as usize * PAGE;
        let length = start(last) + self.bytes_of(last);
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        read_exactly(self.read_at, &mut buffer[..length], u64::from(first) * PAGE as u64)?;
        for page in run {
            let bytes = &buffer[start(*page)..][..self.bytes_of(*page)];
            if page_checksum(bytes, *page as usize) != self.checksums[*page as usize] {
                return Err(WRONG_CHECKSUM);
            }
            self.cache.fill(self.file, *page, |slot| {
                slot[..bytes.len()].copy_from_slice(bytes);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The length of a page: the last one may be shorter.
    fn bytes_of(&self, page: u32) -> usize {
        (self.length - u64::from(page) * PAGE as u64).min(PAGE as u64) as usize
    }
}

/// Fills `into` with a file's bytes.
pub(crate) fn read_exactly(read_at: &mut ReadAt, into: &mut [u8], offset: u64) -> Result<(), Damaged> {
    match read_at(into, offset) {
        Some(length) if length == into.len() => Ok(()),
        Some(_) => Err(Damaged("shorter than its size")),
        None => Err(Damaged("can't be read")),
    }
}
