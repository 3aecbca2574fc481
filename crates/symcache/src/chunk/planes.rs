//! Numbers as planes: the lowest byte of each, then the next byte of each, and so on. Where numbers are small, whole planes are
//! zero, and what is left has statistics of its own.

use super::take;
use crate::lookup_error::Damaged;

pub(super) fn pack(numbers: &[u32], packed: &mut Vec<u8>) {
    for plane in 0..4 {
        packed.extend(numbers.iter().map(|number| (number >> (8 * plane)) as u8));
    }
}

/// The next `count` numbers, in place of what `numbers` held.
pub(super) fn unpack(packed: &mut &[u8], count: usize, numbers: &mut Vec<u32>) -> Result<(), Damaged> {
    let planes = take(packed, 4 * count)?;
    let (a, rest) = planes.split_at(count);
    let (b, rest) = rest.split_at(count);
    let (c, d) = rest.split_at(count);
    numbers.clear();
    numbers.reserve(count);
    numbers.extend(a.iter().zip(b).zip(c).zip(d).map(|(((a, b), c), d)| u32::from_le_bytes([*a, *b, *c, *d])));
    Ok(())
}
