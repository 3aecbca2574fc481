//! The numbers by which records of a sym file refer to others.

use std::collections::HashMap;

use crate::raw::NONE;

/// From the numbers of FILE or INLINE_ORIGIN records to indexes.
#[derive(Default)]
pub(crate) struct Numbers {
    /// Indexes by number, [`NONE`] for numbers that aren't used. Nearly all sym files count from 0.
    list: Vec<u32>,
    /// Those of numbers too large for the list.
    others: HashMap<u64, u32>,
    count: usize,
}

impl Numbers {
    pub(crate) fn set(&mut self, number: u64, index: u32) {
        self.count += 1;
        match usize::try_from(number) {
            // At most three places for nothing by each number.
            Ok(number) if number < 4 * self.count + 1024 => {
                if self.list.len() <= number {
                    self.list.resize(number + 1, NONE);
                }
                self.list[number] = index;
            }
            _ => {
                self.others.insert(number, index);
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, number: u64) -> Option<u32> {
        match usize::try_from(number).ok().and_then(|number| self.list.get(number)) {
            Some(index) if *index != NONE => Some(*index),
            _ if self.others.is_empty() => None,
            _ => self.others.get(&number).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn knows_the_last_index_of_small_and_large_numbers() {
        let mut numbers = Numbers::default();
        let all = [0, 1, 900, 1 << 20, 1 << 32, u64::MAX];
        for (index, number) in all.iter().enumerate() {
            numbers.set(*number, 77);
            numbers.set(*number, index as u32);
        }
        assert_eq!(all.map(|number| numbers.get(number)), [0, 1, 2, 3, 4, 5].map(Some));
        assert_eq!([2, 901, (1 << 32) + 1].map(|number| numbers.get(number)), [None; 3]);
    }

    #[test]
    fn knows_the_last_index_of_a_number_that_was_large_at_first() {
        let mut numbers = Numbers::default();
        numbers.set(1500, 1);
        (0..1000).for_each(|number| numbers.set(number, 0));
        assert_eq!(numbers.get(1500), Some(1));
        numbers.set(1500, 2);
        assert_eq!(numbers.get(1500), Some(2));
    }
}
