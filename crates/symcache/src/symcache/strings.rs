//! The strings of a result, and how a symcache stores them.

use super::payload::Reader;
use super::pending_reads::PendingReads;
use crate::lookup_error::{Damaged, LookupError};
use crate::raw::Sections;

/// Limits the total length of a result's strings.
pub(crate) const MAX_BYTES: usize = 1 << 30;

/// Strings in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    /// UTF-8.
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
}

impl Strings {
    /// Adds a string and returns its index.
    pub(crate) fn push(&mut self, string: &str) -> u32 {
        self.bytes.extend(string.as_bytes());
        self.end()
    }

    /// The string at an index.
    pub fn get(&self, index: u32) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        let bytes = &self.bytes[start as usize..self.ends[index as usize] as usize];
        // SAFETY: `push` and `read` only add whole strings.
        unsafe { str::from_utf8_unchecked(bytes) }
    }

    /// All strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len() as u32).map(|index| self.get(index))
    }

    /// Reads the strings at the pending offsets, each once, and calls `set` with each requester and the index of its string.
    pub(crate) fn read(
        &mut self,
        reader: &mut Reader,
        sections: &Sections,
        mut pending: PendingReads,
        mut set: impl FnMut(usize, u32),
    ) -> Result<(), LookupError> {
        let at = |offset| sections.string_at(offset);
        reader.for_each(
            &pending.by_record(),
            |read| at(read.record()),
            |reader, read| {
                let offset = read.record();
                if offset >= sections.string_bytes {
                    return Err(OUT_OF_BOUNDS.into());
                }
                let (length, prefix) = read_length(reader, at(offset))?;
                if u64::from(offset) + prefix + u64::from(length) > u64::from(sections.string_bytes) {
                    return Err(OUT_OF_BOUNDS.into());
                }
                let start = self.bytes.len();
                if start + length as usize > MAX_BYTES {
                    return Err(LookupError::TooLarge);
                }
                reader.append(at(offset) + prefix, length as usize, &mut self.bytes)?;
                if str::from_utf8(&self.bytes[start..]).is_err() {
                    self.bytes.truncate(start);
                    return Err(Damaged("a string that is not UTF-8").into());
                }
                let index = self.end();
                read.requesters().for_each(|requester| set(requester, index));
                Ok(())
            },
        )
    }

    pub(crate) fn end(&mut self) -> u32 {
        self.ends.push(self.bytes.len() as u32);
        self.ends.len() as u32 - 1
    }
}

/// The length of a string, and the number of bytes that encode it.
fn read_length(reader: &mut Reader, at: u64) -> Result<(u32, u64), Damaged> {
    let mut length = 0;
    for position in 0..5 {
        let byte = reader.rest(at + position)?[0];
        length |= u64::from(byte & 0x7F) << (7 * position);
        if byte < 0x80 {
            let length = u32::try_from(length).map_err(|_| IMPOSSIBLE_LENGTH)?;
            return Ok((length, position + 1));
        }
    }
    Err(IMPOSSIBLE_LENGTH)
}

const OUT_OF_BOUNDS: Damaged = Damaged("a string that ends behind all strings");
const IMPOSSIBLE_LENGTH: Damaged = Damaged("a string of impossible length");
