//! Nests inline calls properly.
//!
//! INLINE records only contain the depth of a call, and merge equal calls from several parents. Symbolic
//! (`symbolic-debuginfo/src/function_builder.rs`, `ensure_proper_nesting`) splits inlinees so that siblings don't overlap and
//! none extends beyond its parent, and drops those without a parent. This code does the same.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::function::Inlinee;

/// The inlinees were split too often, as in an attack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuchWork;

/// Nests the inlinees of each function.
#[derive(Default)]
pub(crate) struct Nesting {
    /// The inlinees of the last function, ordered by address and depth.
    pub(crate) nested: Vec<Inlinee>,
    sorted: Vec<Inlinee>,
    /// By depth, the end of the last inlinee.
    ends: Vec<u64>,
    /// Counts over all functions of the sym file: inlinees, and steps to split them.
    inlinees: u64,
    steps: u64,
}

impl Nesting {
    /// The limit of a sym file, plus more for each inlinee. Symbolic has no limit: it splits 2,000 overlapping inlinees, a
    /// hundred kilobytes, into four million.
    const MAX_STEPS: u64 = 100_000;
    const STEPS_PER_INLINEE: u64 = 4;

    /// Fills `nested` with the inlinees of a function.
    pub(crate) fn nest(&mut self, inlinees: &[Inlinee]) -> Result<(), TooMuchWork> {
        self.inlinees += inlinees.len() as u64;
        let in_order = |a: &Inlinee, b: &Inlinee| (a.address, a.depth) < (b.address, b.depth);
        if inlinees.is_sorted_by(in_order) {
            if self.nest_sorted(inlinees.iter()) {
                return Ok(());
            }
        } else {
            let mut sorted = std::mem::take(&mut self.sorted);
            sorted.clear();
            sorted.extend_from_slice(inlinees);
            sorted.sort_unstable_by_key(|inlinee| (inlinee.address, inlinee.depth));
            let is_done = sorted.is_sorted_by(in_order) && self.nest_sorted(sorted.iter());
            self.sorted = sorted;
            if is_done {
                return Ok(());
            }
        }
        self.nest_with_splits(inlinees)
    }

    /// Fills `nested` from inlinees that differ in address or depth. Returns false if one has to be split.
    fn nest_sorted<'a>(&mut self, inlinees: impl Iterator<Item = &'a Inlinee>) -> bool {
        self.nested.clear();
        self.ends.clear();
        for inlinee in inlinees {
            match self.place(inlinee) {
                Placement::Dropped => {}
                Placement::Whole(end) => self.add(*inlinee, end),
                Placement::After(_) | Placement::Until(_) => return false,
            }
        }
        true
    }

    /// Fills `nested` from any inlinees. The rest of a split inlinee is queued again, by its address. The order of inlinees
    /// with the same address and depth follows from the heap, which must be used exactly as in Symbolic.
    #[cold]
    fn nest_with_splits(&mut self, inlinees: &[Inlinee]) -> Result<(), TooMuchWork> {
        self.nested.clear();
        self.ends.clear();
        let mut heap = BinaryHeap::new();
        for inlinee in inlinees {
            heap.push(Reverse(Queued(*inlinee)));
        }
        while let Some(Reverse(Queued(inlinee))) = heap.pop() {
            self.steps += 1;
            if self.steps > Self::MAX_STEPS + Self::STEPS_PER_INLINEE * self.inlinees {
                return Err(TooMuchWork);
            }
            let from = |start| {
                let end = inlinee.address + inlinee.size;
                Reverse(Queued(Inlinee { address: start, size: end - start, ..inlinee }))
            };
            match self.place(&inlinee) {
                Placement::Dropped => {}
                Placement::Whole(end) => self.add(inlinee, end),
                Placement::After(start) => heap.push(from(start)),
                Placement::Until(end) => {
                    heap.push(from(end));
                    self.add(Inlinee { size: end - inlinee.address, ..inlinee }, end);
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, inlinee: &Inlinee) -> Placement {
        let depth = inlinee.depth as usize;
        let Some(end) = inlinee.address.checked_add(inlinee.size) else { return Placement::Dropped };
        if depth > self.ends.len() {
            return Placement::Dropped;
        }
        if let Some(sibling_end) = self.ends.get(depth) {
            if end <= *sibling_end {
                return Placement::Dropped;
            }
            if inlinee.address < *sibling_end {
                return Placement::After(*sibling_end);
            }
        }
        self.ends.truncate(depth);
        match self.ends.last() {
            Some(caller_end) if inlinee.address >= *caller_end => Placement::Dropped,
            Some(caller_end) if end > *caller_end => Placement::Until(*caller_end),
            // A call at depth 0 may extend beyond the function.
            _ => Placement::Whole(end),
        }
    }

    fn add(&mut self, inlinee: Inlinee, end: u64) {
        self.ends.push(end);
        self.nested.push(inlinee);
    }
}

/// How an inlinee is nested.
enum Placement {
    /// It is dropped.
    Dropped,
    /// It stays as it is, up to its end.
    Whole(u64),
    /// It starts later, at the end of its sibling.
    After(u64),
    /// It is split at the end of its parent.
    Until(u64),
}

/// An inlinee, ordered by address and depth.
struct Queued(Inlinee);

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.address, self.0.depth).cmp(&(other.0.address, other.0.depth))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Queued {}
