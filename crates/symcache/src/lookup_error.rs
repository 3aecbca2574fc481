//! Why a symcache has no answer.

use std::error::Error;
use std::fmt;

/// The file isn't the one it should be, or its bytes aren't those that were written: it is of no use. Says in words why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Damaged {}

/// Why a lookup has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// The file is of no use.
    Damaged(Damaged),
    /// The file is sound, but the answer would be larger than any may be.
    TooLarge,
}

impl From<Damaged> for LookupError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged)
    }
}
