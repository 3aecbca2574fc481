//! The source locations that others are inlined into.

use super::segments::Segments;
use crate::raw::SourceLocation;

/// Slots of the table of calls that were seen lately.
const SLOTS: usize = 1 << 12;

/// The call locations of a symcache. A call whose code lies in several ranges comes once for each, soon after another: it
/// mostly gets the same index again.
pub(crate) struct CallLocations {
    pub(crate) list: Segments<SourceLocation>,
    /// By a hash of the location its index, or another's.
    seen: Vec<(SourceLocation, u32)>,
}

impl Default for CallLocations {
    fn default() -> Self {
        Self { list: Segments::default(), seen: vec![(SourceLocation::NONE, u32::MAX); SLOTS] }
    }
}

impl CallLocations {
    /// The index of a call location.
    #[inline]
    pub(crate) fn index(&mut self, location: SourceLocation) -> u32 {
        let SourceLocation { file, line, function, inlined_into } = location;
        let words = [u64::from(file) << 32 | u64::from(line), u64::from(function) << 32 | u64::from(inlined_into)];
        // Two multiplications by large odd numbers mix well enough for a table this small.
        let mixed = words[0].wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ words[1].wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        let seen = &mut self.seen[(mixed >> 40) as usize % SLOTS];
        if seen.0 != location {
            *seen = (location, self.list.len() as u32);
            self.list.push(location);
        }
        seen.1
    }
}
