//! Maps address ranges to source locations.

use super::segmented_vec::SegmentedVec;
use crate::raw::SourceLocation;

/// The ranges of a symcache, by start address. A range ends where the next one starts.
///
/// Functions are almost in the order of their addresses, so that nearly every range is appended to sorted lists. Changes of
/// earlier ranges are stragglers, which wait to be sorted together: that is faster than a tree.
#[derive(Default)]
pub(crate) struct Ranges {
    starts: SegmentedVec<u32>,
    locations: SegmentedVec<SourceLocation>,
    /// The last of `starts`.
    last: Option<u32>,
    stragglers: Vec<Straggler>,
    /// Number of stragglers, the first ones, that [`Self::sort`] has left.
    sorted: usize,
}

/// Stragglers that may wait, beside twice as many as are sorted.
const MAX_UNSORTED: usize = if cfg!(test) { 2 } else { 1 << 16 };

struct Straggler {
    start: u32,
    /// Once it is sorted, the index in the lists before which it is inserted.
    index: u32,
    location: SourceLocation,
    /// Whether it replaces another location.
    replaces: bool,
}

impl Ranges {
    /// Sets the location of the range from `start`.
    #[inline]
    pub(crate) fn put(&mut self, start: u32, location: SourceLocation) {
        self.change(start, location, true);
    }

    /// Sets the location of the range from `start`, unless a known range starts there.
    pub(crate) fn put_if_free(&mut self, start: u32, location: SourceLocation) {
        self.change(start, location, false);
    }

    /// Ends the range before `start`, unless another range starts there.
    pub(crate) fn end_at(&mut self, start: u32) {
        self.change(start, SourceLocation::NONE, false);
    }

    #[inline]
    fn change(&mut self, start: u32, location: SourceLocation, replaces: bool) {
        if self.last.is_none_or(|last| last < start) {
            self.starts.push(start);
            self.locations.push(location);
            self.last = Some(start);
        } else if self.last == Some(start) {
            set(self.locations.last_mut(), location, replaces);
        } else {
            self.add_straggler(Straggler { start, index: 0, location, replaces });
        }
    }

    #[cold]
    fn add_straggler(&mut self, straggler: Straggler) {
        self.stragglers.push(straggler);
        if self.stragglers.len() > 3 * self.sorted + MAX_UNSORTED {
            self.sort();
        }
    }

    /// Sorts the stragglers, and leaves one for each range that isn't in the lists.
    pub(crate) fn sort(&mut self) {
        let Self { starts, locations, stragglers, .. } = self;
        stragglers.sort_by_key(|straggler| straggler.start);
        stragglers.dedup_by(|later, earlier| {
            if later.start != earlier.start {
                return false;
            }
            set(&mut earlier.location, later.location, later.replaces);
            earlier.replaces |= later.replaces;
            true
        });
        stragglers.retain_mut(|Straggler { start, index, location, replaces }| {
            let found = starts.binary_search(*start);
            match found {
                Ok(at) => set(locations.get_mut(at), *location, *replaces),
                Err(at) => *index = at as u32,
            }
            found.is_err()
        });
        self.sorted = stragglers.len();
    }

    /// Whether no known range starts at `start`. All stragglers are sorted.
    pub(crate) fn is_free(&mut self, start: u32) -> bool {
        let listed = self.starts.binary_search(start).map(|at| *self.locations.get_mut(at));
        let straggler = self.stragglers.binary_search_by_key(&start, |straggler| straggler.start);
        !listed.or(straggler.map(|at| self.stragglers[at].location)).is_ok_and(|there| there != SourceLocation::NONE)
    }

    /// The number of ranges. All stragglers are sorted.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() + self.stragglers.len()
    }

    /// The source locations in order, as slices. All stragglers are sorted.
    pub(crate) fn locations(&self) -> impl Iterator<Item = &[SourceLocation]> {
        self.merged(&self.locations, |straggler| &straggler.location)
    }

    /// The start addresses in order, as slices. All stragglers are sorted.
    pub(crate) fn starts(&self) -> impl Iterator<Item = &[u32]> {
        self.merged(&self.starts, |straggler| &straggler.start)
    }

    /// A list with the stragglers' elements inserted, as slices.
    fn merged<'a, T>(
        &'a self,
        list: &'a SegmentedVec<T>,
        element: impl Fn(&'a Straggler) -> &'a T,
    ) -> impl Iterator<Item = &'a [T]> {
        let mut done = 0;
        let insertions = self.stragglers.iter().map(|straggler| (straggler.index as usize, Some(straggler)));
        insertions.chain(std::iter::once((list.len(), None))).flat_map(move |(index, straggler)| {
            let before = list.slices(std::mem::replace(&mut done, index), index);
            before.chain(straggler.map(|straggler| std::slice::from_ref(element(straggler))))
        })
    }
}

/// Sets a location, unless it is known and not to be replaced.
fn set(location: &mut SourceLocation, new: SourceLocation, replaces: bool) {
    if replaces || *location == SourceLocation::NONE {
        *location = new;
    }
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
        ranges.sort();
        assert!(ranges.is_free(12) && ranges.is_free(13) && !ranges.is_free(10) && !ranges.is_free(15));
        ranges.put(17, location(10));
        ranges.put(12, location(11));
        ranges.sort();
        let starts: Vec<u32> = ranges.starts().flatten().copied().collect();
        let lines: Vec<u32> = ranges.locations().flatten().map(|location| location.line).collect();
        assert_eq!(starts, [5, 10, 12, 15, 17, 20, 25, 30]);
        assert_eq!(lines, [3, 5, 11, 6, 10, 2, 9, 8]);
        assert_eq!(ranges.len(), 8);
    }
}
