//! Packs records column by column, as differences to the previous record, split into byte planes.
//!
//! A plane contains one byte of each value, lowest bytes first, since each of them has its own statistics. The number of planes, as
//! many as the largest value needs, precedes them.

use super::{take, unzigzag, zigzag};
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
        pack_planes(&differences, packed);
    }
}

/// Unpacks complete records.
pub(super) fn unpack(width: usize, packed: &mut &[u8], records: &mut [u8]) -> Result<(), Damaged> {
    let count = records.len() / (4 * width);
    let words = records.as_chunks_mut::<4>().0;
    let mut differences = Vec::new();
    for field in 0..width {
        unpack_planes(packed, count, &mut differences)?;
        let mut word = 0u32;
        for (into, difference) in words.iter_mut().skip(field).step_by(width).zip(&differences) {
            word = word.wrapping_add(unzigzag(*difference));
            *into = word.to_le_bytes();
        }
    }
    Ok(())
}

pub(super) fn pack_planes(values: &[u32], packed: &mut Vec<u8>) {
    let all = values.iter().fold(0, |all, value| all | value);
    let planes = 4 - all.leading_zeros() / 8;
    packed.push(planes as u8);
    for plane in 0..planes {
        packed.extend(values.iter().map(|value| (value >> (8 * plane)) as u8));
    }
}

/// Replaces `values` by the next `count` values.
pub(super) fn unpack_planes(packed: &mut &[u8], count: usize, values: &mut Vec<u32>) -> Result<(), Damaged> {
    let planes = usize::from(take(packed, 1)?[0]);
    if planes > 4 {
        return Err(Damaged("chunk with too many byte planes"));
    }
    values.clear();
    values.resize(count, 0);
    for plane in 0..planes {
        for (value, byte) in values.iter_mut().zip(take(packed, count)?) {
            *value |= u32::from(*byte) << (8 * plane);
        }
    }
    Ok(())
}
