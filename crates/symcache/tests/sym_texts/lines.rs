//! Generates lines one by one. Most of them are consistent with the lines before.

use super::Choices;
use super::kinds::{AFTER_PUBLIC, IN_FUNCTION, IN_HEAD, IN_LONG_FUNCTION, Kind};
use super::samples::{EDGES, IDS, INFO_RECORDS, LINE_NUMBERS, NAMES, ODD_LINES, PATHS};
use super::words::{Format, Word, text};

/// The extent of a function or an inline call.
#[derive(Clone, Copy, Default)]
struct Extent {
    start: u64,
    size: u64,
}

impl Extent {
    fn end(self) -> u64 {
        self.start.wrapping_add(self.size)
    }
}

/// Generates lines, and tracks the state that the next ones refer to.
pub(super) struct LineGenerator {
    /// The file's addresses follow it closely, so that they collide.
    base: u64,
    has_long_functions: bool,
    function: Option<Extent>,
    /// Whether no `FUNC` or `PUBLIC` came yet.
    in_head: bool,
    previous_function_end: u64,
    previous_line_end: u64,
    /// The last inline call, or the function, and the depth of calls in it.
    inlinee: (u64, Extent),
}

impl LineGenerator {
    pub(super) fn new(choices: &mut Choices) -> Self {
        let base = choices.weighted(&[
            (9, 0),
            (4, (1 << 32) - 0x20),
            (2, 0_u64.wrapping_sub(0x20)),
            (1, (1 << 31) - 0x20),
            // Where addresses get one more digit.
            (1, 0xf0),
            (1, 0xfff0),
            (1, 0xfff_ffe0),
        ]);
        Self {
            base,
            has_long_functions: choices.once_in(4),
            function: None,
            in_head: true,
            previous_function_end: base,
            previous_line_end: base,
            inlinee: (0, Extent::default()),
        }
    }

    /// The next lines, usually one.
    pub(super) fn lines(&mut self, choices: &mut Choices) -> Vec<Vec<u8>> {
        let kinds = match (self.function, self.in_head) {
            (Some(_), _) if self.has_long_functions => IN_LONG_FUNCTION,
            (Some(_), _) => IN_FUNCTION,
            (None, true) => IN_HEAD,
            (None, false) => AFTER_PUBLIC,
        };
        match choices.weighted(kinds) {
            Kind::Line => vec![self.line_record(choices)],
            Kind::Inline => vec![self.inline_record(choices)],
            Kind::NestedCalls => self.nested_calls(choices),
            Kind::Function => vec![self.function_record(choices)],
            Kind::Public => self.public_records(choices),
            Kind::Origin => vec![Self::origin_record(choices)],
            Kind::File => vec![Self::file_record(choices)],
            Kind::Blank => vec![Vec::new()],
            Kind::Info => vec![choices.of(&INFO_RECORDS).into()],
            Kind::Stack => vec![b"STACK CFI INIT 10 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^".to_vec()],
            Kind::Odd => vec![choices.of(&ODD_LINES).to_vec()],
        }
    }

    fn file_record(choices: &mut Choices) -> Vec<u8> {
        let (id, path) = (id(choices), choices.of(&PATHS));
        let path = if choices.once_in(60) { "d/".repeat(choices.below(150)) } else { path.to_owned() };
        Format::of(choices, false).apply(&[text("FILE"), text(id), text(path)])
    }

    fn origin_record(choices: &mut Choices) -> Vec<u8> {
        let (id, name) = (id(choices), name(choices));
        // Symbolic rejects a blank name.
        let name = if name.trim().is_empty() { "inlined".to_owned() } else { name };
        Format::of(choices, false).apply(&[text("INLINE_ORIGIN"), text(id), text(name)])
    }

    fn public_records(&mut self, choices: &mut Choices) -> Vec<Vec<u8>> {
        let address = match (choices.below(8), self.function) {
            (0, Some(function)) => function.start,
            (1, Some(function)) => function.end(),
            (2, _) => self.previous_line_end,
            _ => self.address(choices),
        };
        let mut words = vec![text("PUBLIC"), Word::Hex(address), text("0"), text(name(choices))];
        if choices.once_in(6) {
            words.insert(1, text("m"));
        }
        let record = Format::of(choices, false).apply(&words);
        self.function = None;
        self.in_head = false;
        match choices.below(8) {
            // A line that is rejected within a function is ignored after a PUBLIC.
            7 => vec![record, choices.of(&ODD_LINES).to_vec()],
            6 => vec![record.clone(), record],
            _ => vec![record],
        }
    }

    fn function_record(&mut self, choices: &mut Choices) -> Vec<u8> {
        let start = match choices.weighted(&[(8, 0), (6, 1), (2, 2)]) {
            0 => self.previous_function_end,
            1 => self.address(choices),
            _ => self.function.map_or(self.base, |function| function.start),
        };
        let size = match choices.weighted(&[(24, 0), (2, 1), (1, 2), (1, 3)]) {
            0 => 1 + choices.below(0x18) as u64,
            1 => 0,
            2 => choices.of(&[1 << 32, (1 << 32) - 1, 1 << 63, u64::MAX, 0x1000]),
            // Its end is 2^32 or 2^64, or 4 more.
            _ => choices.of(&[1_u64 << 32, 0, (1 << 32) + 4, 4]).wrapping_sub(start),
        };
        let function = Extent { start, size };
        self.function = Some(function);
        self.in_head = false;
        self.previous_function_end = function.end();
        self.previous_line_end = start;
        self.inlinee = (0, function);
        let mut words = vec![text("FUNC"), Word::Hex(start), Word::Hex(size), text("0"), text(name(choices))];
        if choices.once_in(12) {
            words.insert(1, text("m"));
        }
        Format::of(choices, false).apply(&words)
    }

    fn line_record(&mut self, choices: &mut Choices) -> Vec<u8> {
        let address = if choices.once_in(2) { self.address_in_function(choices) } else { self.previous_line_end };
        let size = size(choices);
        self.previous_line_end = address.wrapping_add(size);
        let number = if choices.once_in(12) {
            choices.of(&LINE_NUMBERS).to_owned()
        } else {
            (1 + choices.below(20)).to_string()
        };
        let words = [Word::Hex(address), Word::Hex(size), text(number), text(id(choices))];
        Format::of(choices, true).apply(&words)
    }

    fn inline_record(&mut self, choices: &mut Choices) -> Vec<u8> {
        let (depth_in_previous, previous) = self.inlinee;
        let (depth, start, size) = match choices.weighted(&[(4, 0), (4, 1), (5, 2), (1, 3)]) {
            // A call within the last one.
            0 => (depth_in_previous, previous.start.wrapping_add(choices.below(3) as u64), 1 + choices.below(8) as u64),
            1 => (depth_in_previous.saturating_sub(1), previous.end(), size(choices)),
            2 => (choices.below(4) as u64, self.address_in_function(choices), size(choices)),
            _ => (
                choices.of(&[1 << 32, (1 << 32) + 1, u64::from(u32::MAX), u64::MAX, 50]),
                self.address_in_function(choices),
                size(choices),
            ),
        };
        self.inlinee = (depth % 64 + 1, Extent { start, size });
        let mut words = vec![text("INLINE"), text(depth.to_string()), text((1 + choices.below(20)).to_string())];
        words.extend([text(id(choices)), text(id(choices)), Word::Hex(start), Word::Hex(size)]);
        for _ in 0..if choices.once_in(6) { 1 + choices.below(3) } else { 0 } {
            words.extend([Word::Hex(self.address_in_function(choices)), Word::Hex(self::size(choices))]);
        }
        if choices.once_in(24) {
            words[2] = text(choices.of(&["0", "4294967295", "4294967296", "4294967301", "18446744073709551615"]));
        }
        Format::of(choices, false).apply(&words)
    }

    /// Nested calls. Most of them are not longer than their caller.
    fn nested_calls(&mut self, choices: &mut Choices) -> Vec<Vec<u8>> {
        let depth = if choices.once_in(8) { 5 + choices.below(45) } else { 2 + choices.below(4) } as u64;
        let mut start = self.address_in_function(choices);
        let mut size = 1 + choices.below(24) as u64;
        let (later, shorter) = (choices.of(&[0, 1, 0, 2]), choices.of(&[0, 1, 2, u64::MAX]));
        let (file, origin) = (id(choices), id(choices));
        let outermost = choices.of(&[0, 0, 0, 1, 2]);
        let mut records: Vec<_> = (outermost..depth)
            .map(|depth| {
                let record = format!("INLINE {depth} {} {file} {origin} {start:x} {size:x}", depth + 1);
                self.inlinee = (depth + 1, Extent { start, size });
                start = start.wrapping_add(later);
                size = size.wrapping_sub(shorter).max(1);
                record.into_bytes()
            })
            .collect();
        if choices.once_in(4) {
            records.reverse();
        }
        records
    }

    fn address(&self, choices: &mut Choices) -> u64 {
        if choices.once_in(24) { choices.of(&EDGES) } else { self.base.wrapping_add(choices.below(0x40) as u64) }
    }

    fn address_in_function(&self, choices: &mut Choices) -> u64 {
        let Extent { start, size } = self.function.unwrap_or(Extent { start: self.base, size: 0x20 });
        match choices.weighted(&[(40, 0), (3, 1), (3, 2), (1, 3)]) {
            0 => start.wrapping_add(choices.below(0x1a) as u64),
            1 => start.wrapping_sub(choices.below(5) as u64),
            2 => start.wrapping_add(size).wrapping_add(choices.below(3) as u64).wrapping_sub(1),
            _ => choices.of(&EDGES),
        }
    }
}

fn size(choices: &mut Choices) -> u64 {
    match choices.weighted(&[(30, 0), (3, 1), (2, 2), (1, 3)]) {
        0 => 1 + choices.below(8) as u64,
        1 => 0,
        2 => choices.below(0x20) as u64,
        _ => choices.of(&[1 << 32, (1 << 32) - 1, 1 << 63, u64::MAX, u64::MAX - 0x10, 0x1000]),
    }
}

fn id(choices: &mut Choices) -> &'static str {
    if choices.once_in(10) { choices.of(&IDS) } else { choices.of(&IDS[..4]) }
}

fn name(choices: &mut Choices) -> String {
    if choices.once_in(40) {
        // As long as the length's own length changes: 127, 128.
        return "n".repeat(choices.below(300));
    }
    choices.of(&NAMES).to_owned()
}
