//! The trailer of a symcache file: checksums and a sparse index, so that lookups can verify and search single pages.
//!
//! A symcache file is Symbolic's symcache, format version 9, zero bytes to the next multiple of 8, and the trailer.
//! Symbolic's readers ignore the trailer. All integers are little-endian.
//!
//! | bytes | contents |
//! |---|---|
//! | 8 × pages | checksum of each page of 4,096 bytes, the last one shorter, of the payload (the symcache with its zero bytes): XXH64 seeded with the page's index, so that swapped pages are detected |
//! | 4 × samples | start address of every 1,024th range, from the first one on |
//! | 0–7 | zero bytes to the next multiple of 8 |
//! | names | debug filename, debug id, module name for responses, UTF-8, without separators |
//! | 0–7 | zero bytes to the next multiple of 8 |
//! | 8 | length of the payload |
//! | 4 | number of samples |
//! | 4, 4, 4 | lengths of the debug filename, the debug id, the module name |
//! | 8 | checksum of the trailer up to this point: XXH64 seeded with 0 |
//! | 8 | `ELIOTS01`, which ends with the version of this layout |

use crate::checksum::checksum;
use crate::lookup_error::Damaged;

/// Bytes in a page.
pub const PAGE: usize = 4096;

/// Ranges from one sample of the sparse index to the next.
pub const SAMPLE_EVERY: usize = 1024;

const MAGIC: [u8; 8] = *b"ELIOTS01";

/// Bytes from the length of the payload to the end of the file.
const FOOTER: usize = 40;

/// More than the service allows in requests.
const MAX_NAME_BYTES: usize = 1 << 20;

/// The contents of a trailer.
#[derive(Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Name of the file that the debug information belongs to.
    pub debug_filename: String,
    /// The module's Breakpad identifier, as requested.
    pub debug_id: String,
    /// The module's name for responses.
    pub module_name: String,
    /// Bytes before the trailer.
    pub payload_length: u64,
    /// Start address of every [`SAMPLE_EVERY`]th range.
    pub samples: Vec<u32>,
    /// Checksum of each page of the payload.
    pub pages: Vec<u64>,
}

/// The checksum of a page and its index.
pub fn page_checksum(page: &[u8], index: usize) -> u64 {
    checksum(page, index as u64)
}

impl Trailer {
    /// The trailer as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * self.pages.len() + 4 * self.samples.len() + 512);
        for page in &self.pages {
            bytes.extend(page.to_le_bytes());
        }
        for sample in &self.samples {
            bytes.extend(sample.to_le_bytes());
        }
        pad(&mut bytes);
        let names = [&self.debug_filename, &self.debug_id, &self.module_name];
        for name in names {
            bytes.extend(name.as_bytes());
        }
        pad(&mut bytes);
        bytes.extend(self.payload_length.to_le_bytes());
        bytes.extend((self.samples.len() as u32).to_le_bytes());
        for name in names {
            bytes.extend((name.len() as u32).to_le_bytes());
        }
        bytes.extend(checksum(&bytes, 0).to_le_bytes());
        bytes.extend(MAGIC);
        bytes
    }

    /// Reads the trailer of a file of `file_size` bytes. `read_at` fills the slice with the bytes at an offset.
    pub fn read(
        file_size: u64,
        mut read_at: impl FnMut(&mut [u8], u64) -> Result<(), Damaged>,
    ) -> Result<Self, Damaged> {
        let footer_at = file_size.checked_sub(FOOTER as u64).ok_or(Damaged("file too short for a trailer"))?;
        let mut footer = [0; FOOTER];
        read_at(&mut footer, footer_at)?;
        if footer[32..] != MAGIC {
            return Err(Damaged("no trailer, or a trailer of another version"));
        }
        let payload_length = u64::from_le_bytes(*footer[..8].as_array().expect("8 bytes"));
        let integer = |at: usize| u32::from_le_bytes(*footer[at..at + 4].as_array().expect("4 bytes")) as usize;
        let (sample_count, name_lengths) = (integer(8), [integer(12), integer(16), integer(20)]);

        // The limit for names prevents an overflow of the sum in 32 bits.
        if payload_length > file_size || name_lengths.iter().any(|length| *length > MAX_NAME_BYTES) {
            return Err(Damaged("trailer with impossible lengths"));
        }
        let page_count = payload_length.div_ceil(PAGE as u64);
        let names_length: usize = name_lengths.iter().sum();
        let samples_at = 8 * page_count;
        let names_at = (samples_at + 4 * sample_count as u64).next_multiple_of(8);
        let body_length = names_at + (names_length as u64).next_multiple_of(8);
        if payload_length + body_length + FOOTER as u64 != file_size {
            return Err(Damaged("trailer lengths don't match the file size"));
        }

        let mut bytes = vec![0; body_length as usize + FOOTER];
        read_at(&mut bytes, payload_length)?;
        let (checked, rest) = bytes.split_at(bytes.len() - 16);
        if rest[..8] != checksum(checked, 0).to_le_bytes() || checked[body_length as usize..] != footer[..24] {
            return Err(Damaged("trailer with a wrong checksum"));
        }

        let (samples_at, names_at) = (samples_at as usize, names_at as usize);
        let mut names = &bytes[names_at..names_at + names_length];
        let mut name = |length: usize| {
            let (name, rest) = names.split_at(length);
            names = rest;
            str::from_utf8(name).map(str::to_owned).map_err(|_| Damaged("name in the trailer is not UTF-8"))
        };
        Ok(Self {
            debug_filename: name(name_lengths[0])?,
            debug_id: name(name_lengths[1])?,
            module_name: name(name_lengths[2])?,
            payload_length,
            samples: bytes[samples_at..][..4 * sample_count]
                .as_chunks::<4>()
                .0
                .iter()
                .map(|sample| u32::from_le_bytes(*sample))
                .collect(),
            pages: bytes[..samples_at].as_chunks::<8>().0.iter().map(|page| u64::from_le_bytes(*page)).collect(),
        })
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}
