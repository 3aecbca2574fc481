//! Which source location each address of a module has.

use std::collections::BTreeMap;

use super::segments::Segments;
use crate::raw::SourceLocation;

/// The ranges of a symcache: where each begins, and its source location. A range ends where the next begins.
///
/// Functions come almost in the order of their addresses, so that nearly every range is appended to sorted lists. One that
/// begins below the last is a straggler: it stands in a tree until the symcache is written.
#[derive(Default)]
pub(crate) struct Ranges {
    starts: Segments<u32>,
    locations: Segments<SourceLocation>,
    /// The last of `starts`.
    last: Option<u32>,
    stragglers: BTreeMap<u32, SourceLocation>,
}

impl Ranges {
    pub(crate) fn len(&self) -> usize {
        self.starts.len() + self.stragglers.len()
    }

    /// From `start` on it is `location`, whatever it was.
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

    /// From `start` on it is `location`, unless something is known to begin there.
    pub(crate) fn put_if_free(&mut self, start: u32, location: SourceLocation) {
        if self.is_free(start) {
            self.put(start, location);
        }
    }

    /// Whether nothing known begins at `start`.
    pub(crate) fn is_free(&mut self, start: u32) -> bool {
        self.get(start).is_none_or(|there| there == SourceLocation::NONE)
    }

    /// From `start` on nothing is known, unless a range begins there.
    #[inline]
    pub(crate) fn end_at(&mut self, start: u32) {
        if self.last.is_none_or(|last| last < start) || self.get(start).is_none() {
            self.put(start, SourceLocation::NONE);
        }
    }

    /// The ranges' source locations in order, in pieces.
    pub(crate) fn locations(&self) -> impl Iterator<Item = &[SourceLocation]> {
        merged(&self.locations, self.cuts(), |(_, location)| std::slice::from_ref(location))
    }

    /// The ranges' first addresses in order, in pieces.
    pub(crate) fn starts(&self) -> impl Iterator<Item = &[u32]> {
        merged(&self.starts, self.cuts(), |(start, _)| std::slice::from_ref(start))
    }

    /// Each straggler, behind the number of the list's ranges that come before it.
    fn cuts(&self) -> impl Iterator<Item = (usize, (&u32, &SourceLocation))> {
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

/// A list with other elements in between, in pieces.
fn merged<'a, T, Other: 'a>(
    list: &'a Segments<T>,
    cuts: impl Iterator<Item = (usize, Other)> + 'a,
    element: impl Fn(Other) -> &'a [T] + 'a,
) -> impl Iterator<Item = &'a [T]> {
    let mut done = 0;
    let cuts = cuts.map(|(index, other)| (index, Some(other))).chain(std::iter::once((list.len(), None)));
    cuts.flat_map(move |(index, other)| {
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
    fn keeps_ranges_in_order_however_they_come() {
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
