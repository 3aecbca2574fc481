//! Converts arbitrary sym files and compares the results, or the reasons for rejection, with Symbolic's.

#![no_main]

#[path = "../../tests/oracle/mod.rs"]
mod oracle;
#[allow(dead_code, reason = "the tests also edit recorded files")]
#[path = "../../tests/sym_texts/mod.rs"]
mod sym_texts;

use std::fmt;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use oracle::assert_equal_to_symbolic;
use sym_texts::{Arrival, DEBUG_FILENAME, DEBUG_ID};

/// With more text one case can take Symbolic seconds.
const MAX_BYTES: usize = 2000;

/// Its debug output is the text.
struct SymFile(Arrival);

impl fmt::Debug for SymFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Arbitrary<'a> for SymFile {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let bytes = input.bytes(input.len().min(MAX_BYTES))?;
        let [kind, bytes @ ..] = bytes else { return Ok(Self(raw(0, Vec::new()))) };
        Ok(Self(match kind % 4 {
            0 | 1 => generated(kind % 4 == 1, bytes),
            // The corpus uses `r`.
            2 => raw(*kind, [format!("MODULE Linux x86_64 {DEBUG_ID} a.so\n").as_bytes(), bytes].concat()),
            _ => raw(*kind, bytes.to_vec()),
        }))
    }

    fn arbitrary_take_rest(mut input: Unstructured<'a>) -> Result<Self> {
        Self::arbitrary(&mut input)
    }
}

/// Lines generated from bytes, as in the tests, perhaps with an edit.
fn generated(with_edit: bool, bytes: &[u8]) -> Arrival {
    let (file, bytes) = seed(bytes);
    let (edit, bytes) = if with_edit { seed(bytes) } else { ([0; _], bytes) };
    let lines: Vec<_> = bytes.chunks(size_of::<sym_texts::LineSeed>()).map(|chunk| seed(chunk).0).collect();
    Arrival::generated(&file, &lines, if with_edit { std::slice::from_ref(&edit) } else { &[] })
}

fn raw(kind: u8, text: Vec<u8>) -> Arrival {
    Arrival {
        debug_filename: DEBUG_FILENAME,
        debug_id: DEBUG_ID,
        text,
        pieces: vec![[1, 7, 100, MAX_BYTES][usize::from(kind / 4) % 4]],
    }
}

/// The first bytes, padded with zeros, and the rest.
fn seed<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    let (first, rest) = bytes.split_at(bytes.len().min(N));
    let mut seed = [0; N];
    seed[..first.len()].copy_from_slice(first);
    (seed, rest)
}

fuzz_target!(|file: SymFile| {
    let Arrival { debug_filename, debug_id, text, pieces } = &file.0;
    assert_equal_to_symbolic(debug_filename, debug_id, text, pieces);
});
