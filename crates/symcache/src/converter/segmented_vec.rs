//! Lists that grow without moving their elements.

use std::mem::size_of;

/// Bytes of a segment.
const SEGMENT: usize = 1 << 20;

/// A list in segments of equal size. These lists have hundreds of megabytes, and a `Vec` of that size would need three times
/// the memory of its elements while it grows.
pub(crate) struct SegmentedVec<T> {
    full: Vec<Vec<T>>,
    last: Vec<T>,
}

impl<T> Default for SegmentedVec<T> {
    fn default() -> Self {
        Self { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> SegmentedVec<T> {
    /// Elements per segment: a power of two if the size of an element is one.
    const LENGTH: usize = SEGMENT / size_of::<T>();

    pub(crate) fn len(&self) -> usize {
        self.full.len() * Self::LENGTH + self.last.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, element: T) {
        if self.last.len() == self.last.capacity() {
            self.grow();
        }
        self.last.push(element);
    }

    #[cold]
    fn grow(&mut self) {
        // The first segment starts small, since most sym files are small.
        match self.last.capacity() {
            0 => self.last = Vec::with_capacity(Self::LENGTH / 64),
            capacity if capacity < Self::LENGTH => {
                self.last.reserve_exact((4 * capacity).min(Self::LENGTH) - self.last.len());
            }
            _ => {
                let full = std::mem::replace(&mut self.last, Vec::with_capacity(Self::LENGTH));
                self.full.push(full);
            }
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> &mut T {
        match self.full.get_mut(index / Self::LENGTH) {
            Some(segment) => &mut segment[index % Self::LENGTH],
            None => &mut self.last[index % Self::LENGTH],
        }
    }

    /// The last element. Panics if the list is empty.
    #[inline]
    pub(crate) fn last_mut(&mut self) -> &mut T {
        // A full segment is only moved when the next element is pushed, so `last` is never empty.
        self.last.last_mut().expect("a last element")
    }

    /// The elements from `start` to `end`, as one slice per segment.
    pub(crate) fn slices(&self, start: usize, end: usize) -> impl Iterator<Item = &[T]> {
        let segments = self.full.iter().chain(std::iter::once(&self.last));
        segments.enumerate().skip(start / Self::LENGTH).map_while(move |(index, segment)| {
            let begin = index * Self::LENGTH;
            let from = start.saturating_sub(begin);
            let to = end.saturating_sub(begin).min(segment.len());
            (from < to).then(|| &segment[from..to])
        })
    }
}

impl<T: Copy + Ord> SegmentedVec<T> {
    #[inline]
    fn get(&self, index: usize) -> T {
        match self.full.get(index / Self::LENGTH) {
            Some(segment) => segment[index % Self::LENGTH],
            None => self.last[index % Self::LENGTH],
        }
    }

    /// Like `slice::binary_search`.
    pub(crate) fn binary_search(&self, element: T) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(&element) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }
}

#[cfg(test)]
mod tests {
    use super::SegmentedVec;

    #[test]
    fn finds_elements_and_slices_across_segments() {
        let mut list = SegmentedVec::default();
        let count = 2 * SegmentedVec::<u32>::LENGTH as u32 + 77;
        (0..count).for_each(|i| list.push(2 * i));
        assert_eq!(list.len(), count as usize);
        for i in [0, 1, 300_000, count - 1] {
            assert_eq!(list.binary_search(2 * i), Ok(i as usize));
            assert_eq!(list.binary_search(2 * i + 1), Err(i as usize + 1));
            assert_eq!(*list.get_mut(i as usize), 2 * i);
        }
        let range = 262_000..524_300;
        let sliced: Vec<u32> = list.slices(range.start, range.end).flatten().copied().collect();
        assert_eq!(sliced, range.map(|i| 2 * i as u32).collect::<Vec<_>>());
        assert_eq!(list.slices(5, 5).count(), 0);
    }
}
