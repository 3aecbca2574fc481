//! Numbers in text, eight digits at a time.
//!
//! Most numbers of a sym file are short, but of varying length. A loop over digits would mispredict its last branch for most
//! numbers, the largest cost of a conversion. This code computes on the eight bytes of a word at once. All of them are below
//! 0x80 at that point, so that sums don't carry into the next byte.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;

/// The number of leading hexadecimal digits, and their value.
#[inline]
pub(crate) fn leading_hex(bytes: [u8; 8]) -> (usize, u64) {
    let word = u64::from_le_bytes(bytes);
    let low = word & !HIGH_BITS;
    // Letters, in lower case: 1 to 6.
    let letter = (low | (0x20 * ONES)) ^ (0x60 * ONES);
    let is_letter = at_least(letter, 1) & !at_least(letter, 7);
    let is_other = (at_least(low ^ (0x30 * ONES), 10) & !is_letter) | (word & HIGH_BITS);
    let digits = is_other.trailing_zeros() as usize / 8;
    let nibbles = (word & (0x0f * ONES)) + (is_letter >> 7) * 9;
    let nibbles = right_aligned(nibbles, digits);
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff;
    (digits, (quads << 16 | quads >> 32) & 0xffff_ffff)
}

/// The number of leading decimal digits, and their value.
#[inline]
pub(crate) fn leading_decimal(bytes: [u8; 8]) -> (usize, u64) {
    let word = u64::from_le_bytes(bytes);
    let is_other = at_least((word & !HIGH_BITS) ^ (0x30 * ONES), 10) | (word & HIGH_BITS);
    let digits = is_other.trailing_zeros() as usize / 8;
    let units = right_aligned(word & (0x0f * ONES), digits);
    // One multiplication adds ten times each digit to the next one. The others do the same for pairs and groups of four.
    let pairs = (units.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    (digits, quads.wrapping_mul(10_000 << 32 | 1) >> 32)
}

/// Sets the high bit of each byte that is at least `least`.
#[inline]
fn at_least(bytes: u64, least: u8) -> u64 {
    (bytes + u64::from(0x80 - least) * ONES) & HIGH_BITS
}

/// Shifts the leading digits of a word to the end, with zeros before them.
#[inline]
fn right_aligned(word: u64, digits: usize) -> u64 {
    if digits == 0 { 0 } else { word << (64 - 8 * digits) }
}

#[cfg(test)]
mod tests {
    use super::{leading_decimal, leading_hex};

    #[test]
    fn parses_every_byte_at_every_position_like_the_standard_library() {
        for digits in ["", "0", "9", "42", "1234567", "12345678", "90817263"] {
            for byte in 0..=u8::MAX {
                let mut bytes = *b" \xff9a/:g@";
                bytes[..digits.len()].copy_from_slice(digits.as_bytes());
                if let Some(next) = bytes.get_mut(digits.len()) {
                    *next = byte;
                }
                for (radix, (count, value)) in [(10, leading_decimal(bytes)), (16, leading_hex(bytes))] {
                    let expected = bytes.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
                    assert_eq!(count, expected, "{bytes:?}");
                    let number = str::from_utf8(&bytes[..count]).unwrap();
                    assert_eq!(value, u64::from_str_radix(number, radix).unwrap_or(0), "{bytes:?}");
                }
            }
        }
        assert_eq!(leading_hex(*b"DeadBeef"), (8, 0xdead_beef));
    }
}
