//! The MODULE and INFO records, which identify the module.

use symbolic_common::{Arch, DebugId};
use symbolic_debuginfo::breakpad::BreakpadObject;

use crate::conversion_error::{ConversionError, Reason};

/// Symbolic searches this many bytes for the `MODULE` record, and checks that they are UTF-8.
const HEADER: usize = 320;

/// The limit for debug filenames in requests.
const MAX_MODULE_NAME_BYTES: usize = 255;

/// `MODULE Linux x86_64 1410FAF03AD925211450AE25E0CB9AE50 libxul.so`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModuleRecord {
    pub(crate) debug_id: DebugId,
    pub(crate) arch: Arch,
}

impl ModuleRecord {
    /// Parses the record of a file that starts with `text`; `None` if more of the file is needed. Rejects a file that isn't a
    /// sym file or belongs to another module.
    pub(crate) fn read(text: &[u8], is_whole_file: bool, debug_id: DebugId) -> Result<Option<Self>, ConversionError> {
        let magic = b"MODULE ";
        let known = text.len().min(magic.len());
        if text[..known] != magic[..known] || (is_whole_file && known < magic.len()) {
            return Err(ConversionError::new(Reason::NotASymFile, "doesn't start with MODULE"));
        }
        // With one more byte Symbolic knows that the file continues after the header.
        if text.len() <= HEADER && !is_whole_file {
            return Ok(None);
        }
        let object = BreakpadObject::parse(&text[..text.len().min(HEADER + 1)])
            .map_err(|error| ConversionError::new(Reason::Malformed, format_args!("MODULE record: {error}")))?;
        if object.debug_id() != debug_id {
            let message = format_args!("requested {debug_id}, but the file is of {}", object.debug_id());
            return Err(ConversionError::new(Reason::OtherDebugId, message));
        }
        Ok(Some(Self { debug_id, arch: object.arch() }))
    }
}

/// Finds the module's name for responses.
///
/// Windows modules have the name of their code file, `INFO CODE_ID 5E6D1A2B3C000 xul.dll`. Only the first `INFO` line counts, if it
/// has exactly four words and no `FILE`, `PUBLIC` or `FUNC` comes before it. A name that isn't valid in requests, empty or over
/// 255 bytes, is ignored.
#[derive(Debug, Default)]
pub(crate) struct ModuleName {
    name: Option<String>,
    decided: bool,
}

impl ModuleName {
    /// Adds the next line, which must have ended in a newline.
    pub(crate) fn add_line(&mut self, line: &[u8]) {
        if self.decided {
            return;
        }
        if line.starts_with(b"INFO") {
            self.decided = true;
            let mut words = line.split(|byte| *byte == b' ');
            if let (Some(b"INFO"), Some(b"CODE_ID"), Some(_), Some(name), None) =
                (words.next(), words.next(), words.next(), words.next(), words.next())
                && let Ok(name) = str::from_utf8(name)
            {
                let name = name.trim();
                self.name = (1..=MAX_MODULE_NAME_BYTES).contains(&name.len()).then(|| name.to_owned());
            }
        } else if [&b"FILE"[..], b"PUBLIC", b"FUNC"].iter().any(|record| line.starts_with(record)) {
            self.decided = true;
        }
    }

    /// The name, if there is one.
    pub(crate) fn into_name(self) -> Option<String> {
        self.name
    }
}
