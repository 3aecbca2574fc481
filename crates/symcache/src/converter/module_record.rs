//! What the first lines of a sym file say about the module.

use symbolic_common::{Arch, DebugId};
use symbolic_debuginfo::breakpad::BreakpadObject;

use crate::conversion_error::{ConversionError, Reason};

/// Symbolic looks at this many bytes to find the `MODULE` record, and at whether they are UTF-8.
const HEADER: usize = 320;

/// As long as debug filenames may be in requests, in bytes.
const LONGEST_MODULE_NAME: usize = 255;

/// `MODULE Linux x86_64 1410FAF03AD925211450AE25E0CB9AE50 libxul.so`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModuleRecord {
    pub(crate) debug_id: DebugId,
    pub(crate) arch: Arch,
}

impl ModuleRecord {
    /// Reads the record from a file that begins with `text`, or `None` if it takes more of the file to know.
    ///
    /// A file that isn't a sym file, or another module's, is refused here.
    pub(crate) fn read(text: &[u8], is_whole_file: bool, debug_id: DebugId) -> Result<Option<Self>, ConversionError> {
        let magic = b"MODULE ";
        let known = text.len().min(magic.len());
        if text[..known] != magic[..known] || (is_whole_file && known < magic.len()) {
            let message = "doesn't begin with MODULE";
            return Err(ConversionError::new(Reason::NotASymFile, message));
        }
        // One byte more than the header tells Symbolic that the file goes on behind it.
        if text.len() <= HEADER && !is_whole_file {
            return Ok(None);
        }
        let object = BreakpadObject::parse(&text[..text.len().min(HEADER + 1)])
            .map_err(|error| ConversionError::new(Reason::Malformed, format_args!("MODULE record: {error}")))?;
        if object.debug_id() != debug_id {
            let message = format_args!("asked for {debug_id}, is {}", object.debug_id());
            return Err(ConversionError::new(Reason::OtherDebugId, message));
        }
        Ok(Some(Self { debug_id, arch: object.arch() }))
    }
}

/// Looks for the name that a module goes by in answers, one line of the sym file after the other.
///
/// Windows modules are known by their code file, `INFO CODE_ID 5E6D1A2B3C000 xul.dll`: the first `INFO` line decides, has
/// exactly four words, and stands before every `FILE`, `PUBLIC` and `FUNC`. A name that couldn't be a module's in a
/// request, empty or over 255 bytes, is passed over.
#[derive(Debug, Default)]
pub(crate) struct ModuleName {
    name: Option<String>,
    decided: bool,
}

impl ModuleName {
    /// Takes the next line, which a newline must have ended.
    pub(crate) fn take_line(&mut self, line: &[u8]) {
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
                self.name = (1..=LONGEST_MODULE_NAME).contains(&name.len()).then(|| name.to_owned());
            }
        } else if [&b"FILE"[..], b"PUBLIC", b"FUNC"].iter().any(|record| line.starts_with(record)) {
            self.decided = true;
        }
    }

    /// The name that was found.
    pub(crate) fn into_name(self) -> Option<String> {
        self.name
    }
}
