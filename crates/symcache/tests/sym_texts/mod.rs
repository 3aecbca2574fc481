//! Generates sym files with all kinds of edge cases from bytes.
//!
//! Proptest provides random bytes and shrinks them, libFuzzer evolves them. Zero bytes generate the plainest lines, and each line
//! has bytes of its own, so that a shrunk file is readable.

mod edits;
mod kinds;
mod lines;
mod module_line;
mod samples;
mod words;

use std::fmt;

pub use edits::edit;
use lines::LineGenerator;
use module_line::module_line;

pub const DEBUG_FILENAME: &str = "a.so";
pub const DEBUG_ID: &str = "A1B2C3D4E5F60718293A4B5C6D7E8F901";

/// The bytes that generate one line.
pub type LineSeed = [u8; 20];

/// The bytes that generate one edit.
pub type EditSeed = [u8; 8];

/// The bytes for choices about the whole file.
pub type FileSeed = [u8; 12];

/// A module's sym file, and the lengths of the chunks that it arrives in, repeatedly.
#[derive(Clone)]
pub struct Arrival {
    pub debug_filename: &'static str,
    pub debug_id: &'static str,
    pub text: Vec<u8>,
    pub pieces: Vec<usize>,
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}/{} in pieces of {:?}:", self.debug_filename, self.debug_id, self.pieces)?;
        for line in self.text.split_inclusive(|byte| *byte == b'\n') {
            writeln!(f, "{}", line.escape_ascii())?;
        }
        Ok(())
    }
}

impl Arrival {
    /// A sym file that is generated from bytes only.
    pub fn generated(file: &FileSeed, lines: &[LineSeed], edits: &[EditSeed]) -> Self {
        let mut choices = Choices(file);
        let mut generator = LineGenerator::new(&mut choices);
        let mut text_lines = vec![module_line(&mut choices)];
        text_lines.extend(lines.iter().flat_map(|seed| generator.lines(&mut Choices(seed))));
        Self::edited(choices, text_lines, edits, &[])
    }

    /// An edited sym file. Edits may insert lines of `others`.
    pub fn changed(file: &FileSeed, lines: &[Vec<u8>], edits: &[EditSeed], others: &[Vec<u8>]) -> Self {
        Self::edited(Choices(file), lines.to_vec(), edits, others)
    }

    /// Drops as many lines as possible while the predicate holds.
    pub fn drop_lines(&mut self, mut stays: impl FnMut(&Self) -> bool) {
        let mut count = self.text.len();
        while count > 0 {
            let lines: Vec<&[u8]> = self.text.split_inclusive(|byte| *byte == b'\n').collect();
            count = count.min(lines.len());
            let fewer = (0..=lines.len() - count).rev().find_map(|at| {
                let text = [&lines[..at], &lines[at + count..]].concat().concat();
                Some(Self { text, ..self.clone() }).filter(|fewer| stays(fewer))
            });
            match fewer {
                Some(fewer) => *self = fewer,
                None => count /= 2,
            }
        }
    }

    fn edited(mut choices: Choices, mut lines: Vec<Vec<u8>>, edits: &[EditSeed], others: &[Vec<u8>]) -> Self {
        for seed in edits {
            edit(&mut lines, &mut Choices(seed), others);
        }
        let newlines: &[&str] = choices.weighted(&[(12, &["\n"]), (2, &["\r\n"]), (1, &["\n", "\r\n"])]);
        let mut text = Vec::new();
        for (line, newline) in lines.iter().zip(newlines.iter().cycle()) {
            text.extend(line);
            text.extend(newline.as_bytes());
        }
        match choices.weighted(&[(12, 0), (3, 1), (1, 2)]) {
            0 => (),
            1 => drop(text.pop()),
            _ => text.truncate(text.len() - choices.below(text.len().min(256) + 1)),
        }
        let pieces = match choices.weighted(&[(1, 0), (1, 1), (2, 2)]) {
            0 => vec![1 << 20],
            1 => vec![1],
            _ => (0..3).map(|_| 1 + choices.below(100)).collect(),
        };
        Self { debug_filename: DEBUG_FILENAME, debug_id: DEBUG_ID, text, pieces }
    }
}

/// Makes choices by its next bytes. Zero, also after the last byte, chooses the first option.
#[derive(Clone, Copy)]
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, from one byte if possible.
    pub fn below(&mut self, bound: usize) -> usize {
        let number =
            if bound <= 256 { self.byte().into() } else { usize::from(self.byte()) << 8 | usize::from(self.byte()) };
        number % bound.max(1)
    }

    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// An element of the list, with a probability by weight.
    pub fn weighted<T: Copy>(&mut self, list: &[(usize, T)]) -> T {
        let total: usize = list.iter().map(|(weight, _)| weight).sum();
        let mut at = usize::from(self.byte()) * total / 256;
        for (weight, what) in list {
            if at < *weight {
                return *what;
            }
            at -= weight;
        }
        unreachable!("{at} is below the sum of the weights")
    }

    /// True with probability 1 / `times`, false without bytes.
    pub fn once_in(&mut self, times: usize) -> bool {
        usize::from(self.byte()) >= 256 - 256 / times
    }
}
