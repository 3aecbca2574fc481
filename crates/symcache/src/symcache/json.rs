//! Strings as they stand in JSON.

use super::strings::{MOST_BYTES, Strings};
use crate::lookup_error::LookupError;

impl Strings {
    /// Escapes all strings as `JSON.stringify` does, without its quotes around them.
    pub fn escape_for_json(&mut self) -> Result<(), LookupError> {
        // The most that one byte can become is six, and most answers have nothing to escape: they are left as they are.
        let growth: usize = self.bytes.iter().filter(|byte| is_special(**byte)).count() * 5;
        if growth == 0 {
            return Ok(());
        }
        if self.bytes.len() + growth > MOST_BYTES {
            return Err(LookupError::TooLarge);
        }
        let mut escaped = Self { bytes: Vec::with_capacity(self.bytes.len() + growth), ends: Vec::new() };
        for string in self.iter() {
            for piece in string.as_bytes().split_inclusive(|byte| is_special(*byte)) {
                match piece.split_last() {
                    Some((last, plain)) if is_special(*last) => {
                        escaped.bytes.extend_from_slice(plain);
                        escaped.push_escape(*last);
                    }
                    _ => escaped.bytes.extend_from_slice(piece),
                }
            }
            escaped.end();
        }
        *self = escaped;
        Ok(())
    }

    fn push_escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0C => b'f',
            b'\r' => b'r',
            _ => {
                let digits = b"0123456789abcdef";
                let [high, low] = [byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)]);
                return self.bytes.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        };
        self.bytes.extend_from_slice(&[b'\\', short]);
    }
}

/// Whether JSON has another way of writing the byte.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::Strings;

    fn escaped(strings: &[&str]) -> Vec<String> {
        let mut all = Strings::default();
        strings.iter().for_each(|string| {
            all.push(string);
        });
        all.escape_for_json().unwrap();
        all.iter().map(str::to_owned).collect()
    }

    #[test]
    fn escapes_what_json_must_and_nothing_else() {
        assert_eq!(escaped(&["", "a/\u{7f}é\u{2028}"]), ["", "a/\u{7f}é\u{2028}"]);
        assert_eq!(
            escaped(&["", "operator\"\" _x", "\\", "é\u{8}\t\n\u{c}\r", "\0\u{1f}", "a"]),
            ["", r#"operator\"\" _x"#, r"\\", r"é\b\t\n\f\r", r"\u0000\u001f", "a"]
        );
    }
}
