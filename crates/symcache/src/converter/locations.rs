//! The source locations of a symcache.

use super::ranges::Ranges;
use super::segmented_vec::SegmentedVec;
use crate::raw::SourceLocation;

/// The source locations of ranges, and the call sites that they are inlined into.
#[derive(Default)]
pub(crate) struct Locations {
    pub(crate) call_sites: CallSites,
    pub(crate) ranges: Ranges,
}

/// Slots of the table of recent call sites.
const SLOTS: usize = 1 << 15;

/// The call sites of a symcache. A call whose code lies in several ranges arrives once per range, in quick succession. All of
/// them share one entry, unless its slot of the table was overwritten.
pub(crate) struct CallSites {
    pub(crate) list: SegmentedVec<SourceLocation>,
    /// Indexes of recent call sites, by hash.
    recent: Vec<u32>,
    /// The current function's first index. Earlier call sites can't be equal, since each leads to another function, and
    /// comparing them would be slow: they are no longer in the processor's cache.
    first: u32,
}

impl Default for CallSites {
    fn default() -> Self {
        Self { list: SegmentedVec::default(), recent: vec![0; SLOTS], first: 0 }
    }
}

impl CallSites {
    pub(crate) fn begin_function(&mut self) {
        self.first = self.list.len() as u32;
    }

    /// The index of a call site, which is added if necessary.
    #[inline]
    pub(crate) fn insert(&mut self, location: SourceLocation) -> u32 {
        let SourceLocation { file, line, function, inlined_into } = location;
        let words = [u64::from(file) << 32 | u64::from(line), u64::from(function) << 32 | u64::from(inlined_into)];
        // Two multiplications by large odd numbers mix well enough for a table this small.
        let mixed = words[0].wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ words[1].wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        let recent = &mut self.recent[(mixed >> 40) as usize % SLOTS];
        let count = self.list.len() as u32;
        if (self.first..count).contains(recent) && *self.list.get_mut(*recent as usize) == location {
            return *recent;
        }
        *recent = count;
        self.list.push(location);
        count
    }
}
