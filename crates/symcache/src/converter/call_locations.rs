//! The source locations that others are inlined into.

use super::segments::Segments;
use crate::raw::SourceLocation;

/// Slots of the table of calls that were seen lately.
const SLOTS: usize = 1 << 15;

/// The call locations of a symcache. A call whose code lies in several ranges comes once for each, soon after another: it
/// gets the same index again, unless the slot of the table was taken meanwhile.
pub(crate) struct CallLocations {
    pub(crate) list: Segments<SourceLocation>,
    /// By a hash of a location its index, or another's.
    seen: Vec<u32>,
    /// The index of the function's first one. No earlier one is the same, since each leads to the function in the end; and to
    /// compare with it would take long, for it is no longer in the processor's cache.
    first: u32,
}

impl Default for CallLocations {
    fn default() -> Self {
        Self { list: Segments::default(), seen: vec![0; SLOTS], first: 0 }
    }
}

impl CallLocations {
    pub(crate) fn begin_function(&mut self) {
        self.first = self.list.len() as u32;
    }

    /// The index of a call location.
    #[inline]
    pub(crate) fn index(&mut self, location: SourceLocation) -> u32 {
        let SourceLocation { file, line, function, inlined_into } = location;
        let words = [u64::from(file) << 32 | u64::from(line), u64::from(function) << 32 | u64::from(inlined_into)];
        // Two multiplications by large odd numbers mix well enough for a table this small.
        let mixed = words[0].wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ words[1].wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        let seen = &mut self.seen[(mixed >> 40) as usize % SLOTS];
        let count = self.list.len() as u32;
        if (self.first..count).contains(seen) && *self.list.get_mut(*seen as usize) == location {
            return *seen;
        }
        *seen = count;
        self.list.push(location);
        count
    }
}
