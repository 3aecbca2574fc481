//! Names and paths in a sym file, which can be of any length.

use std::borrow::Cow;

/// Bytes of the longest name or path that is kept whole. A name comes back with every frame that has it.
pub const LONGEST_NAME: usize = 131_072;

const ELLIPSIS: &str = "…";

/// The name, cut to [`LONGEST_NAME`] bytes with an ellipsis, whole characters only.
pub(crate) fn cut(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST_NAME {
        return Cow::Borrowed(name);
    }
    let end = name.floor_char_boundary(LONGEST_NAME - ELLIPSIS.len());
    Cow::Owned([&name[..end], ELLIPSIS].concat())
}
