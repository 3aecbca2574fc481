//! Records of numbers, field by field: the difference of each number to the same field's in the record before, as planes.

use super::{planes, unzigzag, zigzag};
use crate::lookup_error::Damaged;

pub(super) fn pack(width: usize, words: impl Iterator<Item = u32> + Clone, packed: &mut Vec<u8>) {
    let mut differences = Vec::new();
    for field in 0..width {
        let mut before = 0u32;
        differences.clear();
        differences.extend(words.clone().skip(field).step_by(width).map(|word| {
            let difference = zigzag(word.wrapping_sub(before));
            before = word;
            difference
        }));
        planes::pack(&differences, packed);
    }
}

/// Fills `records`, which are whole.
pub(super) fn unpack(width: usize, packed: &mut &[u8], records: &mut [u8]) -> Result<(), Damaged> {
    let count = records.len() / (4 * width);
    let words = records.as_chunks_mut::<4>().0;
    let mut differences = Vec::new();
    for field in 0..width {
        planes::unpack(packed, count, &mut differences)?;
        let mut word = 0u32;
        for (into, difference) in words.iter_mut().skip(field).step_by(width).zip(&differences) {
            word = word.wrapping_add(unzigzag(*difference));
            *into = word.to_le_bytes();
        }
    }
    Ok(())
}
