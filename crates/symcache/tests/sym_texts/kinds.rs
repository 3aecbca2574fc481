//! The kinds of lines, and how often each one occurs.

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Line,
    Inline,
    NestedCalls,
    Function,
    Public,
    Origin,
    File,
    Blank,
    Info,
    Stack,
    Odd,
}

/// Weights of the kinds of lines at one position. Only edits add lines that Symbolic rejects: otherwise hardly any file would
/// be converted.
pub(super) type Kinds = &'static [(usize, Kind)];

pub(super) const IN_HEAD: Kinds = &[
    (90, Kind::File),
    (14, Kind::Function),
    (4, Kind::Origin),
    (2, Kind::Public),
    (3, Kind::Info),
    (2, Kind::Odd),
    (1, Kind::Blank),
    (1, Kind::Stack),
];

pub(super) const IN_FUNCTION: Kinds = &[
    (110, Kind::Line),
    (60, Kind::Inline),
    (40, Kind::Function),
    (20, Kind::Public),
    (14, Kind::NestedCalls),
    (12, Kind::Origin),
    (4, Kind::Blank),
    (1, Kind::Stack),
];

/// Many lines and calls at few addresses.
pub(super) const IN_LONG_FUNCTION: Kinds =
    &[(110, Kind::Line), (60, Kind::Inline), (14, Kind::NestedCalls), (6, Kind::Origin), (3, Kind::Function)];

pub(super) const AFTER_PUBLIC: Kinds = &[
    (60, Kind::Function),
    (10, Kind::Public),
    (8, Kind::Origin),
    (4, Kind::File),
    (3, Kind::Info),
    (3, Kind::Odd),
    (1, Kind::Blank),
    (1, Kind::Stack),
];
