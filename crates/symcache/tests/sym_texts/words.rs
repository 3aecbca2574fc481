//! The words of a line, and the white space around them.

use super::Choices;

/// How the words of a line are formatted.
pub(super) struct Format {
    indent: &'static str,
    separator: &'static str,
    ending: &'static str,
    /// Minimum number of hexadecimal digits.
    digits: usize,
    capitals: bool,
}

impl Format {
    const PLAIN: Self = Self { indent: "", separator: " ", ending: "", digits: 1, capitals: false };

    /// Mostly plain, otherwise a variation that parsers accept. A keyword must start its line and be followed by a space; a
    /// number needn't.
    pub(super) fn of(choices: &mut Choices, begins_with_number: bool) -> Self {
        if !choices.once_in(10) {
            return Self::PLAIN;
        }
        let indents: &[&str] =
            if begins_with_number { &["", " ", "\t", "\u{a0}", "\u{3000}\x0b", "\r"] } else { &[""] };
        Self {
            separator: choices.of(&[" ", "  ", " \t", " \r ", "    "]),
            ending: choices.of(&["", " ", "\t", "\r", "\u{a0}", "\u{2003} ", "\x0b", "\u{85}"]),
            digits: choices.of(&[1, 2, 16, 17, 40]),
            capitals: choices.once_in(2),
            indent: choices.of(indents),
        }
    }

    pub(super) fn apply(&self, words: &[Word]) -> Vec<u8> {
        let digits = self.digits;
        let words: Vec<String> = words
            .iter()
            .map(|word| match word {
                Word::Hex(number) if self.capitals => format!("{number:0digits$X}"),
                Word::Hex(number) => format!("{number:0digits$x}"),
                Word::Text(text) => text.clone(),
            })
            .collect();
        format!("{}{}{}", self.indent, words.join(self.separator), self.ending).into_bytes()
    }
}

pub(super) enum Word {
    Hex(u64),
    Text(String),
}

pub(super) fn text(text: impl Into<String>) -> Word {
    Word::Text(text.into())
}
