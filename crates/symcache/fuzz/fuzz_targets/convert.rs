//! Sym files of every kind: converted as Symbolic converts them, or refused as Symbolic refuses them.

#![no_main]

#[path = "../../tests/oracle/mod.rs"]
mod oracle;
#[allow(dead_code, reason = "the tests change recorded files by it too")]
#[path = "../../tests/sym_texts/mod.rs"]
mod sym_texts;

use std::fmt;

use oracle::assert_equal_to_symbolic;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sym_texts::{Arrival, DEBUG_FILENAME, DEBUG_ID};

/// Bytes. Of more text Symbolic can make so many ranges that one case takes seconds.
const LONGEST: usize = 2000;

/// Prints as its text.
struct SymFile(Arrival);

impl fmt::Debug for SymFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Arbitrary<'a> for SymFile {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let bytes = input.bytes(input.len().min(LONGEST))?;
        let [kind, bytes @ ..] = bytes else { return Ok(Self(raw(0, Vec::new()))) };
        Ok(Self(match kind % 4 {
            0 | 1 => made_of_lines(kind % 4 == 1, bytes),
            // `r`, with which the seeds begin, is one of these.
            2 => raw(*kind, [format!("MODULE Linux x86_64 {DEBUG_ID} a.so\n").as_bytes(), bytes].concat()),
            _ => raw(*kind, bytes.to_vec()),
        }))
    }

    fn arbitrary_take_rest(mut input: Unstructured<'a>) -> Result<Self> {
        Self::arbitrary(&mut input)
    }
}

/// The same lines that the tests make of random bytes, and perhaps a change of them.
fn made_of_lines(with_edit: bool, bytes: &[u8]) -> Arrival {
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
        pieces: vec![[1, 7, 100, LONGEST][usize::from(kind / 4) % 4]],
    }
}

/// The first bytes, and zeros where there are no more.
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
