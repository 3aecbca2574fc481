//! Maps address ranges to source locations.

use std::collections::BTreeMap;

use super::segmented_vec::SegmentedVec;
use crate::raw::SourceLocation;

/// The ranges of a symcache, by start address. A range ends where the next one starts.
///
/// Functions are almost in the order of their addresses, so that nearly every range is appended to sorted lists. A range that
/// starts before the last one is a straggler, and stays in a tree until the symcache is written.
#[derive(Default)]
pub(crate) struct Ranges {
    starts: SegmentedVec<u32>,
    locations: SegmentedVec<SourceLocation>,
    /// The last of `starts`.
    last: Option<u32>,
    stragglers: BTreeMap<u32, SourceLocation>,
}

impl Ranges {
    pub(crate) fn len(&self) -> usize {
        self.starts.len() + self.stragglers.len()
    }

    /// Sets the location of the range from `start`.
    #[inline]
    pub(crate) fn put(&mut self, start: u32, location: SourceLocation) {
        if self.last.is_none_or(|last| last < start) {
            self.starts.push(start);
            self.locations.push(location);
            self.last = Some(start);
        } else if self.last == Some(start) {
            *self.locations.last_mut() = location;
        } else {
            self.put_straggler(start, location);
        }
    }

    /// Sets the location of the range from `start`, unless a known range starts there.
    pub(crate) fn put_if_free(&mut self, start: u32, location: SourceLocation) {
        if self.is_free(start) {
            self.put(start, location);
        }
    }

    /// Whether no known range starts at `start`.
    pub(crate) fn is_free(&mut self, start: u32) -> bool {
        self.get(start).is_none_or(|there| there == SourceLocation::NONE)
    }

    /// Ends the range before `start`, unless another range starts there.
    #[inline]
    pub(crate) fn end_at(&mut self, start: u32) {
        if self.last.is_none_or(|last| last < start) || self.get(start).is_none() {
            self.put(start, SourceLocation::NONE);
        }
    }

    /// The source locations in order, as slices.
    pub(crate) fn locations(&self) -> impl Iterator<Item = &[SourceLocation]> {
        merged(&self.locations, self.insertions(), |(_, location)| std::slice::from_ref(location))
    }

    /// The start addresses in order, as slices.
    pub(crate) fn starts(&self) -> impl Iterator<Item = &[u32]> {
        merged(&self.starts, self.insertions(), |(start, _)| std::slice::from_ref(start))
    }

    /// Each straggler, with its position in the list.
    fn insertions(&self) -> impl Iterator<Item = (usize, (&u32, &SourceLocation))> {
        self.stragglers.iter().map(|straggler| {
            let (Ok(index) | Err(index)) = self.starts.binary_search(*straggler.0);
            (index, straggler)
        })
    }

    fn get(&mut self, start: u32) -> Option<SourceLocation> {
        self.slot(start).copied()
    }

    #[cold]
    fn put_straggler(&mut self, start: u32, location: SourceLocation) {
        match self.slot(start) {
            Some(slot) => *slot = location,
            None => {
                self.stragglers.insert(start, location);
            }
        }
    }

    fn slot(&mut self, start: u32) -> Option<&mut SourceLocation> {
        match self.last {
            Some(last) if start < last => match self.starts.binary_search(start) {
                Ok(index) => Some(self.locations.get_mut(index)),
                Err(_) => self.stragglers.get_mut(&start),
            },
            Some(last) if start == last => Some(self.locations.last_mut()),
            _ => None,
        }
    }
}

/// A list with elements inserted, as slices.
fn merged<'a, T, Other: 'a>(
    list: &'a SegmentedVec<T>,
    insertions: impl Iterator<Item = (usize, Other)> + 'a,
    element: impl Fn(Other) -> &'a [T] + 'a,
) -> impl Iterator<Item = &'a [T]> {
    let mut done = 0;
    let insertions = insertions.map(|(index, other)| (index, Some(other))).chain(std::iter::once((list.len(), None)));
    insertions.flat_map(move |(index, other)| {
        let before = list.slices(std::mem::replace(&mut done, index), index);
        before.chain(other.map(&element))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(line: u32) -> SourceLocation {
        SourceLocation { file: 0, line, function: 0, inlined_into: u32::MAX }
    }

    #[test]
    fn sorts_ranges_that_arrive_in_any_order() {
        let mut ranges = Ranges::default();
        ranges.put(10, location(1));
        ranges.end_at(20);
        ranges.put(20, location(2));
        ranges.end_at(30);
        ranges.put(5, location(3));
        ranges.put(15, location(4));
        ranges.put(10, location(5));
        ranges.put(15, location(6));
        ranges.put_if_free(20, location(7));
        ranges.put_if_free(30, location(8));
        ranges.put_if_free(25, location(9));
        ranges.end_at(25);
        ranges.end_at(12);
        let starts: Vec<u32> = ranges.starts().flatten().copied().collect();
        let lines: Vec<u32> = ranges.locations().flatten().map(|location| location.line).collect();
        assert_eq!(starts, [5, 10, 12, 15, 20, 25, 30]);
        assert_eq!(lines, [3, 5, u32::MAX, 6, 2, 9, 8]);
        assert_eq!(ranges.len(), 7);
    }
}
