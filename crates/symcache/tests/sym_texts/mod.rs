//! Sym files that mix every oddity, made of bytes.
//!
//! Whoever has the bytes decides: proptest makes random ones and shrinks them, libFuzzer evolves them. Zero bytes give the
//! plainest lines, and each line is made of bytes of its own, so that what is left after shrinking can be read.

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

/// Bytes of which one line is made.
pub type LineSeed = [u8; 20];

/// Bytes of which one change is made.
pub type EditSeed = [u8; 8];

/// Bytes of which what concerns the whole file is made.
pub type FileSeed = [u8; 12];

/// A module's sym file, and the lengths of the pieces that it arrives in, over and over.
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
    /// A sym file made of bytes alone.
    pub fn generated(file: &FileSeed, lines: &[LineSeed], edits: &[EditSeed]) -> Self {
        let mut choices = Choices(file);
        let mut generator = LineGenerator::new(&mut choices);
        let mut text_lines = vec![module_line(&mut choices)];
        text_lines.extend(lines.iter().flat_map(|seed| generator.lines(&mut Choices(seed))));
        Self::edited(choices, text_lines, edits, &[])
    }

    /// The sym file of lines that are known, changed. Lines of `others` get into it.
    pub fn changed(file: &FileSeed, lines: &[Vec<u8>], edits: &[EditSeed], others: &[Vec<u8>]) -> Self {
        Self::edited(Choices(file), lines.to_vec(), edits, others)
    }

    /// Drops lines, many or one at a time, as long as it stays what it is.
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

/// Decides, by the next of its bytes. Zeros, which it takes once they have run out, choose what is first.
#[derive(Clone, Copy)]
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, of one byte where it fits.
    pub fn below(&mut self, bound: usize) -> usize {
        let number =
            if bound <= 256 { self.byte().into() } else { usize::from(self.byte()) << 8 | usize::from(self.byte()) };
        number % bound.max(1)
    }

    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// One of the list, as often as its weight says.
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

    /// Yes once in `times`, and never without bytes.
    pub fn once_in(&mut self, times: usize) -> bool {
        usize::from(self.byte()) >= 256 - 256 / times
    }
}
