//! Packs source locations: one token each, then the explicit values of each field as byte planes.
//!
//! | bits of a token | meaning |
//! |---|---|
//! | 0–1 | inlined into: 0 nothing, 1 the previous location, 2 the successor of the last call site, 3 explicit: the distance to the last call site |
//! | 2–3 | function: 0 the neighbour's, 1 the successor of the highest one so far, 2 explicit: the distance to the highest one |
//! | 4 | file: 0 the neighbour's, 1 explicit |
//!
//! The line is always explicit: the distance to the neighbour's. The neighbour is the last inlined location for an inlined one,
//! otherwise the last one that isn't inlined: a function's own lines continue after the inline calls between them.

use super::columns::{pack_planes, unpack_planes};
use super::{take, unzigzag, zigzag};
use crate::lookup_error::Damaged;
use crate::raw::NONE;

/// Locations per call: V8 switches to optimized code at the next call.
const BATCH: usize = 4096;

#[derive(Clone, Copy, Default)]
struct Neighbour {
    file: u32,
    line: u32,
    function: u32,
}

/// The state that previous locations determine.
#[derive(Default)]
struct State {
    /// Of locations that aren't inlined, and of inlined ones.
    neighbours: [Neighbour; 2],
    highest_function: u32,
    last_call: u32,
    /// Index of the current location.
    index: u32,
    file_at: usize,
    function_at: usize,
    call_at: usize,
}

/// The explicit values.
#[derive(Default)]
struct Explicit {
    lines: Vec<u32>,
    files: Vec<u32>,
    functions: Vec<u32>,
    calls: Vec<u32>,
}

/// `first` is the section index of the first location.
pub(super) fn pack(first: u32, mut words: impl Iterator<Item = u32>, packed: &mut Vec<u8>) {
    let mut state = State { index: first, ..State::default() };
    let mut explicit = Explicit::default();
    while let (Some(file), Some(line), Some(function), Some(call)) =
        (words.next(), words.next(), words.next(), words.next())
    {
        let mut token = state.pack_call(call, &mut explicit);
        let neighbour = &mut state.neighbours[usize::from(call != NONE)];
        if function == state.highest_function.wrapping_add(1) {
            token |= 1 << 2;
        } else if function != neighbour.function {
            token |= 2 << 2;
            explicit.functions.push(zigzag(function.wrapping_sub(state.highest_function)));
        }
        if file != neighbour.file {
            token |= 1 << 4;
            explicit.files.push(file);
        }
        explicit.lines.push(zigzag(line.wrapping_sub(neighbour.line)));
        *neighbour = Neighbour { file, line, function };
        state.highest_function = state.highest_function.max(function);
        packed.push(token);
        state.index = state.index.wrapping_add(1);
    }
    for values in [&explicit.lines, &explicit.files, &explicit.functions, &explicit.calls] {
        pack_planes(values, packed);
    }
}

/// Unpacks complete records.
pub(super) fn unpack(first: u32, packed: &mut &[u8], records: &mut [u8]) -> Result<(), Damaged> {
    let tokens = take(packed, records.len() / 16)?;
    let count = |bits: u8, value: u8| tokens.iter().filter(|token| *token & bits == value).count();
    if tokens.iter().any(|token| *token >= 1 << 5 || token & (3 << 2) == 3 << 2) {
        return Err(Damaged("chunk with an unknown token"));
    }
    let mut explicit = Explicit::default();
    unpack_planes(packed, tokens.len(), &mut explicit.lines)?;
    unpack_planes(packed, count(1 << 4, 1 << 4), &mut explicit.files)?;
    unpack_planes(packed, count(3 << 2, 2 << 2), &mut explicit.functions)?;
    unpack_planes(packed, count(3, 3), &mut explicit.calls)?;
    // One more value, which is read but not used after the last one.
    for values in [&mut explicit.files, &mut explicit.functions, &mut explicit.calls] {
        values.push(0);
    }
    let mut state = State { index: first, ..State::default() };
    let batches = tokens.chunks(BATCH).zip(explicit.lines.chunks(BATCH)).zip(records.chunks_mut(16 * BATCH));
    for ((tokens, lines), records) in batches {
        state.unpack(tokens, lines, &explicit, records);
    }
    Ok(())
}

impl State {
    fn pack_call(&mut self, call: u32, explicit: &mut Explicit) -> u8 {
        if call == NONE {
            return 0;
        }
        let distance = call.wrapping_sub(self.last_call);
        self.last_call = call;
        if call == self.index.wrapping_sub(1) {
            1
        } else if distance == 1 {
            2
        } else {
            explicit.calls.push(zigzag(distance));
            3
        }
    }

    /// Has no branches on tokens, which the processor would mispredict.
    #[inline(never)]
    fn unpack(&mut self, tokens: &[u8], lines: &[u32], explicit: &Explicit, records: &mut [u8]) {
        for ((token, line), record) in tokens.iter().zip(lines).zip(records.as_chunks_mut::<16>().0) {
            let (call_code, function_code, file_code) = (token & 3, token >> 2 & 3, token >> 4);
            let explicit_call = self.last_call.wrapping_add(unzigzag(explicit.calls[self.call_at]));
            self.call_at += usize::from(call_code == 3);
            let is_inlined = call_code != 0;
            let call = select(call_code == 3, explicit_call, self.last_call.wrapping_add(1));
            let call = select(call_code == 1, self.index.wrapping_sub(1), call);
            self.last_call = select(is_inlined, call, self.last_call);
            let neighbour = &mut self.neighbours[usize::from(is_inlined)];

            let explicit_function = self.highest_function.wrapping_add(unzigzag(explicit.functions[self.function_at]));
            self.function_at += usize::from(function_code == 2);
            let function = select(function_code == 2, explicit_function, neighbour.function);
            let function = select(function_code == 1, self.highest_function.wrapping_add(1), function);
            self.highest_function = self.highest_function.max(function);

            let file = select(file_code == 1, explicit.files[self.file_at], neighbour.file);
            self.file_at += usize::from(file_code == 1);
            let line = neighbour.line.wrapping_add(unzigzag(*line));
            *neighbour = Neighbour { file, line, function };
            let words = [file, line, function, select(is_inlined, call, NONE)].map(u32::to_le_bytes);
            record.copy_from_slice(words.as_flattened());
            self.index = self.index.wrapping_add(1);
        }
    }
}

#[inline(always)]
fn select(condition: bool, yes: u32, no: u32) -> u32 {
    if condition { yes } else { no }
}
