//! The source locations of a symcache.

use super::call_locations::CallLocations;
use super::ranges::Ranges;

/// Those of ranges, and those that they are inlined into.
#[derive(Default)]
pub(crate) struct SourceLocations {
    pub(crate) calls: CallLocations,
    pub(crate) ranges: Ranges,
}
