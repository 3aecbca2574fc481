//! Values that records are built from: ordinary ones, and the edge cases of parsers.

/// Addresses at the limits: Symbolic computes with 64 bits and keeps 32 of them.
pub(super) const EDGES: [u64; 11] =
    [0, 1, 0x1000, 1 << 31, 0xffff_fff8, 0xffff_ffff, 1 << 32, 0x1_0000_0008, 1 << 63, u64::MAX - 8, u64::MAX];

/// Some of them are small enough for an array, others are not.
#[rustfmt::skip]
pub(super) const IDS: [&str; 20] = [
    "0", "1", "2", "3", "4", "00", "01", "002", "99", "1023", "1024", "1028", "1040", "1500", "4294967295", "4294967296",
    "999999999999999999", "9999999999999999999", "10000000000000000000", "18446744073709551615",
];

#[rustfmt::skip]
pub(super) const LINE_NUMBERS: [&str; 16] = [
    "0", "007", "123", "1234567", "12345678", "123456789", "-1", "-0", "4294967295", "4294967296", "4294967301", "9999999999999999999", "10000000000000000000",
    "18446744073709551615", "-18446744073709551615", "00000000000000000000000012",
];

#[rustfmt::skip]
pub(super) const NAMES: [&str; 26] = [
    "f", "g", "h", "main(int, char**)", "a b", "m", "m f", "", "  two  spaces ", "<lambda>::operator()", "?x@@YAXXZ",
    "_cdecl", "@fast@8", "über", "名前", "\u{1f98a}", "a\tb", "\0", "nul\0in it", "carriage\rreturn",
    "\u{a0}trimmed\u{2003}", "\u{85}", "FUNC 10 10 0 f", "0", "\u{feff}bom", "_ZN3foo3barEv",
];

#[rustfmt::skip]
pub(super) const PATHS: [&str; 40] = [
    "a.c", "b.c", "/a/b.c", "/a/b/../c.cpp", "/a/./b.c", "./a.c", "../a.c", "..", ".", "/..", "a/..", "a/../..", "/",
    "//", "///a", "a//b.c", "dir/", "dir\\", "a\\b", "a/b", "c:\\src\\..\\x.c", "C:\\a/b\\..\\c.h", "c:", "c:\\",
    "c:x", "\\\\server\\share\\..\\x", "\\x\\..\\y", "hg:hg.mozilla.org/mozilla-central:dom/x/../a.cpp:abc",
    "git:github.com/rust-lang/rust:library/std/../x.rs:1", "s3:bucket:abc/def.c:", "cargo:registry/a-1.0:src/lib.rs",
    "<built-in>", "/a/<b>", "", " a .c ", "fü/ñ.c", "nul\0.c", "a.c\u{a0}", "\u{3000}", "/a/b/c/../../../../d",
];

/// Unusual lines. Some are valid, some are ignored, and for some Symbolic rejects the file.
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

pub(super) const INFO_RECORDS: [&str; 3] =
    ["INFO CODE_ID 5E6D1A2B3C000 a.dll", "INFO CODE_ID 5E6D a b.dll", "INFO GENERATOR x"];
