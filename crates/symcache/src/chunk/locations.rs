//! Source locations: a token for each, then, as planes, the numbers that the tokens leave open, field by field.
//!
//! | bits of a token | |
//! |---|---|
//! | 0–1 | inlined into: 0 nothing, 1 the location before, 2 the one behind the last that any was inlined into, 3 open: the distance to that last one |
//! | 2–3 | function: 0 that of the neighbour, 1 the one behind the highest so far, 2 open: the distance to the highest |
//! | 4 | file: 0 that of the neighbour, 1 open |
//!
//! The line is always open: the distance to the neighbour's. The neighbour is the last location that was inlined too or, as this
//! one, was not: a function's own lines go on behind the calls that were inlined between them.

use super::{planes, take, unzigzag, zigzag};
use crate::lookup_error::Damaged;
use crate::raw::NONE;

/// Locations that are gone through at a time: V8 takes to faster code when a function is called again.
const BATCH: usize = 4096;

#[derive(Clone, Copy, Default)]
struct Neighbour {
    file: u32,
    line: u32,
    function: u32,
}

/// What is known of the locations before.
#[derive(Default)]
struct Past {
    /// Of those that are not inlined, and of those that are.
    neighbours: [Neighbour; 2],
    highest_function: u32,
    last_call: u32,
}

#[derive(Default)]
struct Open {
    lines: Vec<u32>,
    files: Vec<u32>,
    functions: Vec<u32>,
    calls: Vec<u32>,
}

/// `first`: the index of the first of them among the section's.
pub(super) fn pack(first: u32, words: impl Iterator<Item = u32>, packed: &mut Vec<u8>) {
    let mut past = Past::default();
    let mut open = Open::default();
    let mut words = words;
    let mut number = first;
    while let (Some(file), Some(line), Some(function), Some(call)) =
        (words.next(), words.next(), words.next(), words.next())
    {
        let mut token = past.call_token(call, number, &mut open);
        let neighbour = &mut past.neighbours[usize::from(call != NONE)];
        if function == past.highest_function.wrapping_add(1) {
            token |= 1 << 2;
        } else if function != neighbour.function {
            token |= 2 << 2;
            open.functions.push(zigzag(function.wrapping_sub(past.highest_function)));
        }
        if file != neighbour.file {
            token |= 1 << 4;
            open.files.push(file);
        }
        open.lines.push(zigzag(line.wrapping_sub(neighbour.line)));
        *neighbour = Neighbour { file, line, function };
        past.highest_function = past.highest_function.max(function);
        packed.push(token);
        number = number.wrapping_add(1);
    }
    for numbers in [&open.lines, &open.files, &open.functions, &open.calls] {
        planes::pack(numbers, packed);
    }
}

/// Fills `records`, which are whole.
pub(super) fn unpack(first: u32, packed: &mut &[u8], records: &mut [u8]) -> Result<(), Damaged> {
    let tokens = take(packed, records.len() / 16)?;
    let count = |bits: u8, value: u8| tokens.iter().filter(|token| *token & bits == value).count();
    if tokens.iter().any(|token| *token >= 1 << 5 || token & (3 << 2) == 3 << 2) {
        return Err(Damaged("a chunk with an unknown token"));
    }
    let mut open = Open::default();
    planes::unpack(packed, tokens.len(), &mut open.lines)?;
    planes::unpack(packed, count(1 << 4, 1 << 4), &mut open.files)?;
    planes::unpack(packed, count(3 << 2, 2 << 2), &mut open.functions)?;
    planes::unpack(packed, count(3, 3), &mut open.calls)?;
    let mut rest = Rest { lines: &open.lines, files: &open.files, functions: &open.functions, calls: &open.calls };
    let mut past = Past::default();
    let mut number = first;
    for (tokens, records) in tokens.chunks(BATCH).zip(records.chunks_mut(16 * BATCH)) {
        past.unpack(number, tokens, &mut rest, records);
        number = number.wrapping_add(BATCH as u32);
    }
    Ok(())
}

/// Of the numbers that tokens left open, those that are still to come.
struct Rest<'n> {
    lines: &'n [u32],
    files: &'n [u32],
    functions: &'n [u32],
    calls: &'n [u32],
}

impl Past {
    fn call_token(&mut self, call: u32, number: u32, open: &mut Open) -> u8 {
        if call == NONE {
            return 0;
        }
        let distance = call.wrapping_sub(self.last_call);
        self.last_call = call;
        if call == number.wrapping_sub(1) {
            1
        } else if distance == 1 {
            2
        } else {
            open.calls.push(zigzag(distance));
            3
        }
    }

    #[inline(never)]
    fn unpack(&mut self, first: u32, tokens: &[u8], rest: &mut Rest, records: &mut [u8]) {
        let mut number = first;
        for (token, record) in tokens.iter().zip(records.as_chunks_mut::<16>().0) {
            let call = match token & 3 {
                0 => NONE,
                1 => number.wrapping_sub(1),
                2 => self.last_call.wrapping_add(1),
                _ => self.last_call.wrapping_add(unzigzag(next(&mut rest.calls))),
            };
            if call != NONE {
                self.last_call = call;
            }
            let neighbour = &mut self.neighbours[usize::from(call != NONE)];
            match token >> 2 & 3 {
                0 => {}
                1 => neighbour.function = self.highest_function.wrapping_add(1),
                _ => neighbour.function = self.highest_function.wrapping_add(unzigzag(next(&mut rest.functions))),
            }
            self.highest_function = self.highest_function.max(neighbour.function);
            if token >> 4 == 1 {
                neighbour.file = next(&mut rest.files);
            }
            neighbour.line = neighbour.line.wrapping_add(unzigzag(next(&mut rest.lines)));
            let words = [neighbour.file, neighbour.line, neighbour.function, call].map(u32::to_le_bytes);
            record.copy_from_slice(words.as_flattened());
            number = number.wrapping_add(1);
        }
    }
}

/// There are as many as the tokens ask for.
#[inline]
fn next(numbers: &mut &[u32]) -> u32 {
    numbers.split_off_first().copied().unwrap_or(0)
}
