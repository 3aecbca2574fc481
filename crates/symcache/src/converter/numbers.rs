//! The numbers by which records of a sym file refer to others.

use std::collections::HashMap;

use crate::raw::NONE;

/// From the numbers of FILE or INLINE_ORIGIN records to indexes.
#[derive(Default)]
pub(crate) struct Numbers {
    /// The first numbers, as long as they count up with their indexes: nearly all sym files have them so, and computing an
    /// index takes less time than fetching it from memory.
    run: Run,
    /// Indexes by number, [`NONE`] for numbers that aren't used.
    list: Vec<u32>,
    /// Those of numbers too large for the list.
    others: HashMap<u64, u32>,
    count: usize,
}

#[derive(Default)]
struct Run {
    number: u64,
    index: u32,
    length: u32,
}

impl Numbers {
    /// Gives a number its index, instead of that which it may have.
    pub(crate) fn set(&mut self, number: u64, index: u32) {
        if self.count == 0 {
            self.run = Run { number, index, length: 0 };
        }
        let Run { length, .. } = self.run;
        match number.wrapping_sub(self.run.number) {
            place if place < u64::from(length) => self.run.length = place as u32,
            place if place == u64::from(length) && index == self.run.index + length => self.run.length += 1,
            _ => {}
        }
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
        let place = number.wrapping_sub(self.run.number);
        if place < u64::from(self.run.length) { Some(self.run.index + place as u32) } else { self.fetch(number) }
    }

    fn fetch(&self, number: u64) -> Option<u32> {
        match usize::try_from(number).ok().and_then(|number| self.list.get(number)) {
            Some(index) if *index != NONE => Some(*index),
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

    #[test]
    fn knows_the_last_index_of_numbers_that_count_up() {
        let mut numbers = Numbers::default();
        (7..100).for_each(|number| numbers.set(number, number as u32 + 3));
        numbers.set(50, 1);
        numbers.set(100, 103);
        let expected = |number| if number == 50 { 1 } else { number as u32 + 3 };
        assert!((7..=100).all(|number| numbers.get(number) == Some(expected(number))));
        assert_eq!([6, 101].map(|number| numbers.get(number)), [None; 2]);
    }
}
