//! The result of a lookup as JSON.

use std::io::Write;

use super::locations::Locations;
use super::strings::{MAX_BYTES, Strings};
use crate::lookup_error::LookupError;

/// Source locations of a list of offsets, as text for JSON responses.
///
/// The text of a row of [`Locations`] is `"function":"name","file":"path","line":7`, without unknown fields. The text of an
/// offset is its outermost row, followed by `,"inlines":[{…},{…}]` with the others, innermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocationsJson {
    /// As in [`Locations`].
    pub starts: Vec<u32>,
    /// As in [`Locations`].
    pub function_starts: Vec<u32>,
    /// Per row: start of its text.
    pub row_starts: Vec<u32>,
    /// Per row: end of the function's name in its text.
    pub function_ends: Vec<u32>,
    /// Per row: end of its text.
    pub row_ends: Vec<u32>,
    /// Per offset: end of its text.
    pub ends: Vec<u32>,
    /// UTF-8.
    pub text: Vec<u8>,
}

impl Locations {
    /// Converts the rows to at most `max_bytes` of text.
    pub fn into_json(mut self, max_bytes: usize) -> Result<LocationsJson, LookupError> {
        self.strings.escape_for_json()?;
        let rows = self.functions.len();
        let mut json = LocationsJson {
            row_starts: vec![0; rows],
            function_ends: vec![0; rows],
            row_ends: vec![0; rows],
            ends: Vec::with_capacity(self.function_starts.len()),
            ..Default::default()
        };
        let max_bytes = max_bytes.min(MAX_BYTES);
        for rows in self.starts.windows(2) {
            let [first, end] = [rows[0] as usize, rows[1] as usize];
            if first < end {
                let outermost = end - 1;
                json.push_row(&self, outermost, max_bytes)?;
                for row in first..outermost {
                    json.text.extend_from_slice(if row == first { b",\"inlines\":[{" } else { b"},{" });
                    json.push_row(&self, row, max_bytes)?;
                }
                json.text.extend_from_slice(if first == outermost { b"" } else { b"}]" });
            }
            json.ends.push(json.text.len() as u32);
        }
        json.starts = self.starts;
        json.function_starts = self.function_starts;
        Ok(json)
    }
}

impl LocationsJson {
    fn push_row(&mut self, locations: &Locations, row: usize, max_bytes: usize) -> Result<(), LookupError> {
        let function = locations.strings.get(locations.functions[row]);
        let file = locations.strings.get(locations.files[row]);
        let line = locations.lines[row];
        if self.text.len() + function.len() + file.len() > max_bytes {
            return Err(LookupError::TooLarge);
        }
        let text = &mut self.text;
        self.row_starts[row] = text.len() as u32;
        text.extend_from_slice(b"\"function\":\"");
        text.extend_from_slice(function.as_bytes());
        self.function_ends[row] = text.len() as u32;
        if locations.files[row] != 0 {
            text.extend_from_slice(b"\",\"file\":\"");
            text.extend_from_slice(file.as_bytes());
        }
        text.push(b'"');
        if line != 0 {
            write!(text, ",\"line\":{line}").expect("writing to memory");
        }
        self.row_ends[row] = text.len() as u32;
        Ok(())
    }
}

/// A string as in JSON, without the quotes.
pub(super) fn escape(string: &str) -> String {
    let mut strings = Strings::default();
    strings.push(string);
    strings.escape_for_json().map_or(String::new(), |()| strings.get(0).to_owned())
}

impl Strings {
    /// Escapes all strings like `JSON.stringify`, without the quotes.
    fn escape_for_json(&mut self) -> Result<(), LookupError> {
        // One byte becomes six at most. Most results have nothing to escape.
        let growth: usize = self.bytes.iter().filter(|byte| is_special(**byte)).count() * 5;
        if growth == 0 {
            return Ok(());
        }
        if self.bytes.len() + growth > MAX_BYTES {
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

/// Whether JSON has to escape the byte.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::{Locations, LookupError, Strings};

    fn escaped(strings: &[&str]) -> Vec<String> {
        let mut all = Strings::default();
        strings.iter().for_each(|string| {
            all.push(string);
        });
        all.escape_for_json().unwrap();
        all.iter().map(str::to_owned).collect()
    }

    /// An offset in two inline calls, one without symbols, and one in a function without a file.
    fn locations() -> Locations {
        let mut locations = Locations::default();
        let [name, caller, file] = ["\"n\"", "caller", "a.c"].map(|string| locations.strings.push(string));
        locations.push_row(name, file, 7);
        locations.push_row(name, 0, 8);
        locations.push_row(caller, file, 0);
        locations.end_offset(16);
        locations.end_offset(0);
        locations.push_row(0, 0, 0);
        locations.end_offset(32);
        locations
    }

    #[test]
    fn writes_the_outermost_call_and_then_the_inlined_ones() {
        let json = locations().into_json(usize::MAX).unwrap();
        let text = str::from_utf8(&json.text).unwrap();
        let inlines = r#"{"function":"\"n\"","file":"a.c","line":7},{"function":"\"n\""}"#;
        let first = format!(r#""function":"caller","file":"a.c","inlines":[{inlines}]"#);
        assert_eq!(json.starts, [0, 3, 3, 4]);
        assert_eq!(json.function_starts, [16, 0, 32]);
        assert_eq!(json.ends, [first.len(), first.len(), text.len()].map(|end| end as u32));
        assert_eq!(text, first + r#""function":"""#);

        let spans = |ends: &[u32]| -> Vec<&str> {
            json.row_starts.iter().zip(ends).map(|(start, end)| &text[*start as usize..*end as usize]).collect()
        };
        assert_eq!(
            spans(&json.row_ends),
            [
                r#""function":"\"n\"","file":"a.c","line":7"#,
                r#""function":"\"n\"""#,
                r#""function":"caller","file":"a.c""#,
                r#""function":"""#,
            ]
        );
        let names = [r#"\"n\""#, r#"\"n\""#, "caller", ""].map(|name| format!(r#""function":"{name}"#));
        assert_eq!(spans(&json.function_ends), names);
    }

    #[test]
    fn refuses_to_write_more_text_than_the_limit() {
        let length = locations().into_json(usize::MAX).unwrap().text.len();
        assert!(locations().into_json(length).is_ok());
        assert_eq!(locations().into_json(40), Err(LookupError::TooLarge));
    }

    #[test]
    fn escapes_only_what_json_must_escape() {
        assert_eq!(escaped(&["", "a/\u{7f}é\u{2028}"]), ["", "a/\u{7f}é\u{2028}"]);
        assert_eq!(
            escaped(&["", "operator\"\" _x", "\\", "é\u{8}\t\n\u{c}\r", "\0\u{1f}", "a"]),
            ["", r#"operator\"\" _x"#, r"\\", r"é\b\t\n\f\r", r"\u0000\u001f", "a"]
        );
    }
}
