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
    /// Index of the next one.
    number: u32,
    files_taken: usize,
    functions_taken: usize,
    calls_taken: usize,
}

#[derive(Default)]
struct Open {
    lines: Vec<u32>,
    files: Vec<u32>,
    functions: Vec<u32>,
    calls: Vec<u32>,
}

/// `first`: the index of the first of them among the section's.
pub(super) fn pack(first: u32, mut words: impl Iterator<Item = u32>, packed: &mut Vec<u8>) {
    let mut past = Past { number: first, ..Past::default() };
    let mut open = Open::default();
    while let (Some(file), Some(line), Some(function), Some(call)) =
        (words.next(), words.next(), words.next(), words.next())
    {
        let mut token = past.call_token(call, &mut open);
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
        past.number = past.number.wrapping_add(1);
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
    // One more to look at where the last one was taken.
    for numbers in [&mut open.files, &mut open.functions, &mut open.calls] {
        numbers.push(0);
    }
    let mut past = Past { number: first, ..Past::default() };
    let batches = tokens.chunks(BATCH).zip(open.lines.chunks(BATCH)).zip(records.chunks_mut(16 * BATCH));
    for ((tokens, lines), records) in batches {
        past.unpack(tokens, lines, &open, records);
    }
    Ok(())
}

impl Past {
    fn call_token(&mut self, call: u32, open: &mut Open) -> u8 {
        if call == NONE {
            return 0;
        }
        let distance = call.wrapping_sub(self.last_call);
        self.last_call = call;
        if call == self.number.wrapping_sub(1) {
            1
        } else if distance == 1 {
            2
        } else {
            open.calls.push(zigzag(distance));
            3
        }
    }

    /// Without a branch that depends on what a token says: most could not be foretold.
    #[inline(never)]
    fn unpack(&mut self, tokens: &[u8], lines: &[u32], open: &Open, records: &mut [u8]) {
        for ((token, line), record) in tokens.iter().zip(lines).zip(records.as_chunks_mut::<16>().0) {
            let (call_code, function_code, file_code) = (token & 3, token >> 2 & 3, token >> 4);
            let open_call = self.last_call.wrapping_add(unzigzag(open.calls[self.calls_taken]));
            self.calls_taken += usize::from(call_code == 3);
            let is_inlined = call_code != 0;
            let call = select(call_code == 3, open_call, self.last_call.wrapping_add(1));
            let call = select(call_code == 1, self.number.wrapping_sub(1), call);
            self.last_call = select(is_inlined, call, self.last_call);
            let neighbour = &mut self.neighbours[usize::from(is_inlined)];

            let open_function = self.highest_function.wrapping_add(unzigzag(open.functions[self.functions_taken]));
            self.functions_taken += usize::from(function_code == 2);
            let function = select(function_code == 2, open_function, neighbour.function);
            let function = select(function_code == 1, self.highest_function.wrapping_add(1), function);
            self.highest_function = self.highest_function.max(function);

            let file = select(file_code == 1, open.files[self.files_taken], neighbour.file);
            self.files_taken += usize::from(file_code == 1);
            let line = neighbour.line.wrapping_add(unzigzag(*line));
            *neighbour = Neighbour { file, line, function };
            let words = [file, line, function, select(is_inlined, call, NONE)].map(u32::to_le_bytes);
            record.copy_from_slice(words.as_flattened());
            self.number = self.number.wrapping_add(1);
        }
    }
}

#[inline(always)]
fn select(condition: bool, yes: u32, no: u32) -> u32 {
    if condition { yes } else { no }
}
