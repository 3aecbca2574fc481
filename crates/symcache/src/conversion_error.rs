//! Errors of conversions.

use std::error::Error;
use std::fmt;

/// The kind of failure. The service knows it by [`Reason::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Symbolic can't parse the requested debug id.
    BadDebugId,
    /// The sym file belongs to a module with another debug id.
    OtherDebugId,
    /// The file starts with `MODULE`, as a sym file does, but Symbolic rejects it.
    Malformed,
    /// The file doesn't start with `MODULE`: a proxy's error page, for example. Metrics count it as [`Reason::Malformed`].
    NotASymFile,
}

impl Reason {
    /// Eliot's name for the reason; `not_a_sym_file` is our own.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadDebugId => "bad_debug_id",
            Self::OtherDebugId => "sym_debug_id_lookup_error",
            Self::Malformed => "sym_malformed",
            Self::NotASymFile => "not_a_sym_file",
        }
    }
}

/// A failed conversion, with a message for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionError {
    /// The kind of failure.
    pub reason: Reason,
    /// What is wrong. It may quote the sym file, and has at most [`ConversionError::MAX_MESSAGE_BYTES`].
    pub message: String,
}

impl ConversionError {
    /// Symbolic's messages quote the malformed line, which may have many megabytes.
    pub const MAX_MESSAGE_BYTES: usize = 1000;

    /// An error with a message, which is truncated if it is too long.
    pub fn new(reason: Reason, message: impl fmt::Display) -> Self {
        use fmt::Write;
        let mut truncated = Truncated(String::new());
        // Fails, and so stops formatting, as soon as the message is full.
        let _ = write!(truncated, "{message}");
        Self { reason, message: truncated.0 }
    }
}

/// Text of at most [`ConversionError::MAX_MESSAGE_BYTES`], truncated between characters.
struct Truncated(String);

impl fmt::Write for Truncated {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let available = ConversionError::MAX_MESSAGE_BYTES - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(available)]);
        if text.len() > available { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.message)
    }
}

impl Error for ConversionError {}
