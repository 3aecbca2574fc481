//! Numbers as planes: the lowest byte of each, then the next byte of each, and so on, as each plane has statistics of its own.
//! Before them stands how many planes the largest number takes.

use super::take;
use crate::lookup_error::Damaged;

pub(super) fn pack(numbers: &[u32], packed: &mut Vec<u8>) {
    let all = numbers.iter().fold(0, |all, number| all | number);
    let planes = 4 - all.leading_zeros() / 8;
    packed.push(planes as u8);
    for plane in 0..planes {
        packed.extend(numbers.iter().map(|number| (number >> (8 * plane)) as u8));
    }
}

/// The next `count` numbers, in place of what `numbers` held.
pub(super) fn unpack(packed: &mut &[u8], count: usize, numbers: &mut Vec<u32>) -> Result<(), Damaged> {
    let planes = usize::from(take(packed, 1)?[0]);
    if planes > 4 {
        return Err(Damaged("a chunk with too many planes"));
    }
    numbers.clear();
    numbers.resize(count, 0);
    for plane in 0..planes {
        for (number, byte) in numbers.iter_mut().zip(take(packed, count)?) {
            *number |= u32::from(*byte) << (8 * plane);
        }
    }
    Ok(())
}
