//! Errors of lookups.

use std::error::Error;
use std::fmt;

/// The file belongs to another module, or its bytes aren't the ones that were written. Says what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Damaged {}

/// Why a lookup failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// The file can't be used.
    Damaged(Damaged),
    /// The file is intact, but the result would exceed the size limit.
    TooLarge,
}

impl From<Damaged> for LookupError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged)
    }
}
