//! One line after the other, each mostly in keeping with those before it.

use super::{Choices, DEBUG_ID};

/// Where addresses become something else: Symbolic keeps 32 bits of them and adds with 64.
const EDGES: [u64; 11] =
    [0, 1, 0x1000, 1 << 31, 0xffff_fff8, 0xffff_ffff, 1 << 32, 0x1_0000_0008, 1 << 63, u64::MAX - 8, u64::MAX];

/// What converters may keep in a list, and what they may not, among them.
#[rustfmt::skip]
const IDS: [&str; 20] = [
    "0", "1", "2", "3", "4", "00", "01", "002", "99", "1023", "1024", "1028", "1040", "1500", "4294967295", "4294967296",
    "999999999999999999", "9999999999999999999", "10000000000000000000", "18446744073709551615",
];

#[rustfmt::skip]
const LINE_NUMBERS: [&str; 16] = [
    "0", "007", "123", "1234567", "12345678", "123456789", "-1", "-0", "4294967295", "4294967296", "4294967301", "9999999999999999999", "10000000000000000000",
    "18446744073709551615", "-18446744073709551615", "00000000000000000000000012",
];

#[rustfmt::skip]
const NAMES: [&str; 26] = [
    "f", "g", "h", "main(int, char**)", "a b", "m", "m f", "", "  two  spaces ", "<lambda>::operator()", "?x@@YAXXZ",
    "_cdecl", "@fast@8", "über", "名前", "\u{1f98a}", "a\tb", "\0", "nul\0in it", "carriage\rreturn",
    "\u{a0}trimmed\u{2003}", "\u{85}", "FUNC 10 10 0 f", "0", "\u{feff}bom", "_ZN3foo3barEv",
];

#[rustfmt::skip]
const PATHS: [&str; 40] = [
    "a.c", "b.c", "/a/b.c", "/a/b/../c.cpp", "/a/./b.c", "./a.c", "../a.c", "..", ".", "/..", "a/..", "a/../..", "/",
    "//", "///a", "a//b.c", "dir/", "dir\\", "a\\b", "a/b", "c:\\src\\..\\x.c", "C:\\a/b\\..\\c.h", "c:", "c:\\",
    "c:x", "\\\\server\\share\\..\\x", "\\x\\..\\y", "hg:hg.mozilla.org/mozilla-central:dom/x/../a.cpp:abc",
    "git:github.com/rust-lang/rust:library/std/../x.rs:1", "s3:bucket:abc/def.c:", "cargo:registry/a-1.0:src/lib.rs",
    "<built-in>", "/a/<b>", "", " a .c ", "fü/ñ.c", "nul\0.c", "a.c\u{a0}", "\u{3000}", "/a/b/c/../../../../d",
];

/// Lines that don't come of themselves: some are fine, some are passed over, and some make Symbolic refuse the file.
#[rustfmt::skip]
pub(super) const ODD_LINES: [&[u8]; 98] = [
    b"", b" ", b"\t", b"\r", b"\0", b"\x0b", b"\xc2\xa0", b"\xef\xbb\xbf", b"\xff\xfe", b"# a comment", b"m", b"0",
    b"FILE", b"FILE ", b"FILE 1", b"FILE 1 ", b"FILE x y", b"FILE -1 a.c", b"FILE 18446744073709551616 a.c",
    b"FILE 1\ta.c", b"FILE\t1 a.c", b"FILE 1 \xff.c", b"FILE 0 late.c", b"FILE 0x1 a.c", b" FILE 0 a.c",
    b"INLINE_ORIGIN", b"INLINE_ORIGIN 1", b"INLINE_ORIGIN 1 ", b"INLINE_ORIGIN x f", b"INLINE_ORIGIN 1 \xff",
    b"INLINE_ORIGIN\t1 f", b"INLINE_ORIGIN 18446744073709551616 f", b"INLINE_ORIGIN 1\xc2\xa0f", b"INLINE_ORIGIN 1f",
    b"INLINE", b"INLINE ", b"INLINE 0 1 0 0", b"INLINE 0 1 0 0 ", b"INLINE 0 1 0 0 10", b"INLINE 0 1 0 0 10 4 14",
    b"INLINE 0 -1 0 0 10 4", b"INLINE -1 1 0 0 10 4", b"INLINE 0 1 0 0 10 4 x", b"INLINE 0 1 0 0 10 4\xc2\xa0",
    b"INLINE\t0 1 0 0 10 4", b"INLINE 0 1 0 0 10 10000000000000000", b"INLINE 0 1 0 18446744073709551616 10 4",
    b"INLINE 0 1 0 0 10 4\t14 4", b"FUNC", b"FUNC ", b"FUNC 10", b"FUNC 10 10", b"FUNC 10 10 0", b"FUNC 10 10 0 ",
    b"FUNC m", b"FUNC m 10 10 0", b"FUNC m10 10 0 f", b"FUNC x 10 0 f", b"FUNC 10 10 x f",
    b"FUNC 10 10 10000000000000000 f", b"FUNC 10 10 0 \xff", b"FUNC\t10 10 0 f", b"func 10 10 0 f", b"FUNC -10 10 0 f",
    b"FUNC 10000000000000000 10 0 f", b"FUNC 0000000000000000010 10 0 f", b"FUNC m m 10 0 f", b"FUNC 10 10 0\xc2\xa0f",
    b" FUNC 10 10 0 f", b"PUBLIC", b"PUBLIC ", b"PUBLIC 10", b"PUBLIC 10 0", b"PUBLIC m 10 0", b"PUBLIC m10 0 p",
    b"PUBLIC x 0 p", b"PUBLIC 10 0 \xff", b"PUBLIC\t10 0 p", b"PUBLIC 10000000000000000 0 p", b"STACK", b"STACK ",
    b"STACK CFI INIT 10 10 .cfa: $rsp 8 +", b"STACK WIN 4 10 10 0 0 0 0 0 0 1 $eip 4 +", b"STACK\t", b"INFO", b"INFO ",
    b"INFO URL https://example.com", b"INFO CODE_ID 5E6D1A2B3C000 a.dll", b"MODULE Linux x86_64 0 b.so", b"10 4 1",
    b"10 4 1 0 0", b"10 4 --1 0", b"10 4 - 0", b"10 4 +1 0", b"0x10 4 1 0", b"10 4 18446744073709551616 0",
    b"\xef\xbc\x91 4 1 0", b"10\t4\r1  0",
];

const INFO_RECORDS: [&str; 3] = ["INFO CODE_ID 5E6D1A2B3C000 a.dll", "INFO CODE_ID 5E6D a b.dll", "INFO GENERATOR x"];

#[derive(Clone, Copy)]
enum Kind {
    Line,
    Inline,
    NestedCalls,
    Function,
    Public,
    Origin,
    File,
    Blank,
    Info,
    Stack,
    Odd,
}

/// How often which kind of line stands where. What Symbolic refuses is left to the edits, or no file would be converted.
type Kinds = &'static [(usize, Kind)];

const IN_HEAD: Kinds = &[
    (90, Kind::File),
    (14, Kind::Function),
    (4, Kind::Origin),
    (2, Kind::Public),
    (3, Kind::Info),
    (2, Kind::Odd),
    (1, Kind::Blank),
    (1, Kind::Stack),
];

const IN_FUNCTION: Kinds = &[
    (110, Kind::Line),
    (60, Kind::Inline),
    (40, Kind::Function),
    (20, Kind::Public),
    (14, Kind::NestedCalls),
    (12, Kind::Origin),
    (4, Kind::Blank),
    (1, Kind::Stack),
];

/// Many lines and calls at few addresses.
const IN_LONG_FUNCTION: Kinds =
    &[(110, Kind::Line), (60, Kind::Inline), (14, Kind::NestedCalls), (6, Kind::Origin), (3, Kind::Function)];

const AFTER_PUBLIC: Kinds = &[
    (60, Kind::Function),
    (10, Kind::Public),
    (8, Kind::Origin),
    (4, Kind::File),
    (3, Kind::Info),
    (3, Kind::Odd),
    (1, Kind::Blank),
    (1, Kind::Stack),
];

/// How the words of a line are set.
struct Look {
    indent: &'static str,
    separator: &'static str,
    ending: &'static str,
    /// Hexadecimal digits: at least so many, and in capitals or not.
    digits: usize,
    capitals: bool,
}

impl Look {
    const PLAIN: Self = Self { indent: "", separator: " ", ending: "", digits: 1, capitals: false };

    /// Mostly plain, and what the parsers of records make no difference of. `INLINE` and the like must begin their line, and
    /// a space must follow them; numbers needn't.
    fn of(choices: &mut Choices, begins_with_number: bool) -> Self {
        if !choices.once_in(10) {
            return Self::PLAIN;
        }
        let indents: &[&str] =
            if begins_with_number { &["", " ", "\t", "\u{a0}", "\u{3000}\x0b", "\r"] } else { &[""] };
        Self {
            separator: choices.of(&[" ", "  ", " \t", " \r ", "    "]),
            ending: choices.of(&["", " ", "\t", "\r", "\u{a0}", "\u{2003} ", "\x0b", "\u{85}"]),
            digits: choices.of(&[1, 2, 16, 17, 40]),
            capitals: choices.once_in(2),
            indent: choices.of(indents),
        }
    }

    fn set(&self, words: &[Word]) -> Vec<u8> {
        let digits = self.digits;
        let words: Vec<String> = words
            .iter()
            .map(|word| match word {
                Word::Hex(number) if self.capitals => format!("{number:0digits$X}"),
                Word::Hex(number) => format!("{number:0digits$x}"),
                Word::Text(text) => text.clone(),
            })
            .collect();
        format!("{}{}{}", self.indent, words.join(self.separator), self.ending).into_bytes()
    }
}

enum Word {
    Hex(u64),
    Text(String),
}

fn text(text: impl Into<String>) -> Word {
    Word::Text(text.into())
}

/// A function or an inlined call: where it begins, and its size.
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

/// Makes lines, and remembers what the next ones refer to.
pub(super) struct LineMaker {
    /// The file's addresses lie behind it, close to each other, so that they collide.
    base: u64,
    has_long_functions: bool,
    function: Option<Extent>,
    /// No `FUNC` and no `PUBLIC` came yet.
    in_head: bool,
    previous_function_end: u64,
    previous_line_end: u64,
    /// The last inlined call, or the function, and the depth of calls in it.
    inlinee: (u64, Extent),
}

impl LineMaker {
    pub(super) fn new(choices: &mut Choices) -> Self {
        let base = choices.weighted(&[
            (9, 0),
            (4, (1 << 32) - 0x20),
            (2, 0_u64.wrapping_sub(0x20)),
            (1, (1 << 31) - 0x20),
            // Where addresses become longer by a digit.
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

    /// The first line, seldom one that another module's file or no sym file begins with.
    pub(super) fn module_line(&self, choices: &mut Choices) -> Vec<u8> {
        let id = DEBUG_ID;
        let usual = format!("MODULE Linux x86_64 {id} a.so");
        if !choices.once_in(12) {
            return usual.into_bytes();
        }
        let lower = id.to_lowercase();
        let lines = [
            format!("MODULE windows x86 {id} a.pdb"),
            format!("MODULE mac ARM64 {lower} a b"),
            format!("MODULE Linux amd64 {id}"),
            format!("MODULE  Linux \t arm  {id}\ta.so \u{2003}"),
            format!("MODULE Linux unknown {id} \r"),
            format!("MODULE Linux x86_64 {id} {}", "ü".repeat(130)),
            format!("MODULE Linux x86_64 {id} -{}", "ü".repeat(130)),
            format!("MODULE Linux x86_64 {id} {}", "n".repeat(300)),
            format!("MODULE Linux x86_64 {} a.so", "9".repeat(300)),
            format!("MODULE Linux pdp11 {id} a.so"),
            "MODULE Linux x86_64 000000000000000000000000000000010 a.so".to_owned(),
            "MODULE Linux pdp11 000000000000000000000000000000010 a.so".to_owned(),
            format!("MODULE Linux x86_64 {id}x a.so"),
            "MODULE Linux x86_64 A1B2C3D4-E5F6-0718-293A-4B5C6D7E8F90-1 a.so".to_owned(),
            "MODULE Linux x86_64 A1B2C3D4 a.so".to_owned(),
            "MODULE Linux x86_64".to_owned(),
            "MODULE ".to_owned(),
            format!("MODULE\tLinux x86_64 {id} a.so"),
            format!("\u{feff}{usual}"),
            format!(" {usual}"),
            format!("{usual}\u{85}"),
            String::new(),
        ];
        lines[choices.below(lines.len())].clone().into_bytes()
    }

    /// The next lines; mostly one.
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
        Look::of(choices, false).set(&[text("FILE"), text(id), text(path)])
    }

    fn origin_record(choices: &mut Choices) -> Vec<u8> {
        let (id, name) = (id(choices), name(choices));
        // Symbolic refuses one that has nothing but white space after the number.
        let name = if name.trim().is_empty() { "inlined".to_owned() } else { name };
        Look::of(choices, false).set(&[text("INLINE_ORIGIN"), text(id), text(name)])
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
        let record = Look::of(choices, false).set(&words);
        self.function = None;
        self.in_head = false;
        match choices.below(8) {
            // What would be refused in a function's lines is passed over behind a PUBLIC.
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
            // Its end is 2^32, or 2^64, or right behind.
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
        Look::of(choices, false).set(&words)
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
        Look::of(choices, true).set(&words)
    }

    fn inline_record(&mut self, choices: &mut Choices) -> Vec<u8> {
        let (depth_in_previous, previous) = self.inlinee;
        let (depth, start, size) = match choices.weighted(&[(4, 0), (4, 1), (5, 2), (1, 3)]) {
            // A call in the last one, or in the same.
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
        Look::of(choices, false).set(&words)
    }

    /// Calls in calls, each as long as the one around it or shorter, some of them longer.
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
