//! Why a sym file was not converted.

use std::error::Error;
use std::fmt;

/// What kind of failure it was; [`Reason::code`] is its name for the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The debug id that was asked for isn't one by Symbolic's parser.
    BadDebugId,
    /// The sym file belongs to a module with another debug id.
    OtherDebugId,
    /// It begins with `MODULE` as a sym file does, and Symbolic refuses it.
    Malformed,
    /// It doesn't begin with `MODULE`: a proxy's error page, say. Metrics count it as [`Reason::Malformed`].
    NotASymFile,
}

impl Reason {
    /// Eliot's word for the reason, and `not_a_sym_file`, which is ours.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadDebugId => "bad_debug_id",
            Self::OtherDebugId => "sym_debug_id_lookup_error",
            Self::Malformed => "sym_malformed",
            Self::NotASymFile => "not_a_sym_file",
        }
    }
}

/// A failed conversion: the reason, and a message of at most [`ConversionError::LONGEST_MESSAGE`] bytes for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionError {
    /// The kind of failure.
    pub reason: Reason,
    /// What was wrong, in words; it may quote the sym file.
    pub message: String,
}

impl ConversionError {
    /// Bytes. Symbolic quotes the bad line, which can have many megabytes, escaped.
    pub const LONGEST_MESSAGE: usize = 1000;

    /// An error whose message is `message`, cut to its allowed length.
    pub fn new(reason: Reason, message: impl fmt::Display) -> Self {
        use fmt::Write;
        let mut cut = Bounded(String::new());
        // Stops writing, with an error, as soon as the message is full.
        let _ = write!(cut, "{message}");
        Self { reason, message: cut.0 }
    }
}

/// Text that takes no more than [`ConversionError::LONGEST_MESSAGE`] bytes, whole characters only.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = ConversionError::LONGEST_MESSAGE - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.message)
    }
}

impl Error for ConversionError {}
