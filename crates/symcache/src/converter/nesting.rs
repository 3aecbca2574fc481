//! Which inlined call lies in which, made unambiguous.
//!
//! Breakpad says only how deep an inlined call is, and merges calls that it finds in several parents. Symbolic
//! (`symbolic-debuginfo/src/function_builder.rs`, `ensure_proper_nesting`) cuts inlinees so that siblings don't overlap and
//! none reaches out of its parent, and drops those without a parent. This does the same.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::function::Inlinee;

/// Inlinees cut so often that it looks like an attack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuchWork;

/// Nests the inlinees of one function after the other.
#[derive(Default)]
pub(crate) struct Nesting {
    /// The inlinees of the last function, in the order of address and depth.
    pub(crate) nested: Vec<Inlinee>,
    sorted: Vec<Inlinee>,
    /// For each depth where the last inlinee there ends.
    ends: Vec<u64>,
    /// How many inlinees there were, and how many steps it took where they had to be cut.
    inlinees: u64,
    steps: u64,
}

impl Nesting {
    /// Steps that a sym file may take, and how many more for each inlinee. Symbolic sets no bound: 2,000 inlinees over each
    /// other, a hundred kilobytes, become four million.
    const MOST_STEPS: u64 = 1_000_000;
    const MORE_STEPS: u64 = 8;

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
        self.nest_cutting(inlinees)
    }

    /// Fills `nested` from inlinees that differ in address or depth, unless one has to be cut; then gives false.
    fn nest_sorted<'a>(&mut self, inlinees: impl Iterator<Item = &'a Inlinee>) -> bool {
        self.nested.clear();
        self.ends.clear();
        for inlinee in inlinees {
            match self.place(inlinee) {
                Place::Nowhere => {}
                Place::Whole(end) => self.add(*inlinee, end),
                Place::After(_) | Place::Until(_) => return false,
            }
        }
        true
    }

    /// Fills `nested` from any inlinees. What is cut off one is an inlinee again, which comes when its address does; a heap
    /// used as Symbolic uses one decides which of two with the same address and depth comes first.
    #[cold]
    fn nest_cutting(&mut self, inlinees: &[Inlinee]) -> Result<(), TooMuchWork> {
        self.nested.clear();
        self.ends.clear();
        let mut heap = BinaryHeap::new();
        for inlinee in inlinees {
            heap.push(Reverse(Queued(*inlinee)));
        }
        while let Some(Reverse(Queued(inlinee))) = heap.pop() {
            self.steps += 1;
            if self.steps > Self::MOST_STEPS + Self::MORE_STEPS * self.inlinees {
                return Err(TooMuchWork);
            }
            let from = |start| {
                let end = inlinee.address + inlinee.size;
                Reverse(Queued(Inlinee { address: start, size: end - start, ..inlinee }))
            };
            match self.place(&inlinee) {
                Place::Nowhere => {}
                Place::Whole(end) => self.add(inlinee, end),
                Place::After(start) => heap.push(from(start)),
                Place::Until(end) => {
                    heap.push(from(end));
                    self.add(Inlinee { size: end - inlinee.address, ..inlinee }, end);
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, inlinee: &Inlinee) -> Place {
        let depth = inlinee.depth as usize;
        let Some(end) = inlinee.address.checked_add(inlinee.size) else { return Place::Nowhere };
        if depth > self.ends.len() {
            return Place::Nowhere;
        }
        if let Some(sibling_end) = self.ends.get(depth) {
            if end <= *sibling_end {
                return Place::Nowhere;
            }
            if inlinee.address < *sibling_end {
                return Place::After(*sibling_end);
            }
        }
        self.ends.truncate(depth);
        match self.ends.last() {
            Some(caller_end) if inlinee.address >= *caller_end => Place::Nowhere,
            Some(caller_end) if end > *caller_end => Place::Until(*caller_end),
            // What the function itself calls may reach out of it.
            _ => Place::Whole(end),
        }
    }

    fn add(&mut self, inlinee: Inlinee, end: u64) {
        self.ends.push(end);
        self.nested.push(inlinee);
    }
}

/// What becomes of an inlinee.
enum Place {
    /// It is dropped.
    Nowhere,
    /// It stays as it is; its end.
    Whole(u64),
    /// It begins later, where its sibling ends.
    After(u64),
    /// It is cut in two, where its parent ends.
    Until(u64),
}

/// An inlinee in the order in which they are nested.
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
