//! Conversion and lookup of the recorded sym files.

mod fixtures;
mod oracle;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fixtures::sym_files;
use oracle::{assert_equal_to_symbolic, convert, open, range_starts, read_ahead, read_from};
use symcache::trailer::PAGE;
use symcache::{Damaged, PageCache, Reason, Symcache};

const DEBUG_ID: &str = "000000000000000000000000000000010";
const MODULE: &str = "MODULE Linux x86_64 000000000000000000000000000000010 a.so\n";

#[test]
fn has_symbolics_results_at_both_ends_of_every_range() {
    for file in sym_files() {
        for piece in [1 << 20, 997] {
            assert_equal_to_symbolic(&file.debug_filename, &file.debug_id, &file.text, &[piece]);
        }
    }
}

#[test]
fn rejects_other_files_and_other_modules_by_their_first_bytes() {
    let reason = |debug_id, text: &str| {
        let mut converter = symcache::Converter::new("a.so", debug_id, &[0; 16]).map_err(|error| error.reason)?;
        converter.push(text.as_bytes()).map_err(|error| error.reason)
    };
    let long = format!("{MODULE}{}", "FILE 0 a\n".repeat(100));
    assert_eq!(reason(DEBUG_ID, &long), Ok(()));
    assert_eq!(reason("not an id", &long), Err(Reason::BadDebugId));
    assert_eq!(reason("000000000000000000000000000000020", &long), Err(Reason::OtherDebugId));
    assert_eq!(reason(DEBUG_ID, "<html>"), Err(Reason::NotASymFile));
    assert_eq!(reason(DEBUG_ID, &long.replace("x86_64", "pdp11")), Err(Reason::Malformed));
}

#[test]
fn uses_the_code_files_name_if_the_first_info_line_has_one() {
    let name = |text: &str| {
        let file = convert("a.pdb", DEBUG_ID, format!("{MODULE}{text}").as_bytes(), &[7]).unwrap();
        open(file, "a.pdb", DEBUG_ID, 4).unwrap().module_name().to_owned()
    };
    assert_eq!(name("INFO CODE_ID 5E6D1A2B3C000 a.dll\n"), "a.dll");
    assert_eq!(name("INFO CODE_ID 5E6D1A2B3C000 a.dll\r\n"), "a.dll");
    assert_eq!(name("INFO CODE_ID 5E6D1A2B3C000 a b.dll\n"), "a.pdb");
    assert_eq!(name("INFO GENERATOR mozilla/dump_syms 2.3\n"), "a.pdb");
    assert_eq!(name("INFO CODE_ID 5E6D\nINFO CODE_ID 5E6D1A2B3C000 a.dll\n"), "a.pdb");
    assert_eq!(name("FILE 0 a.c\nINFO CODE_ID 5E6D1A2B3C000 a.dll\n"), "a.pdb");
    assert_eq!(name("INFO CODE_ID 5E6D1A2B3C000 incomplete-line"), "a.pdb");
}

#[test]
fn returns_locations_in_request_order_and_each_string_once() {
    let text = format!("{MODULE}FILE 0 a.c\nFUNC 10 10 0 f\n10 8 1 0\n18 8 2 0\nPUBLIC 40 0 p\n");
    let mut symcache = open(convert("a.so", DEBUG_ID, text.as_bytes(), &[99]).unwrap(), "a.so", DEBUG_ID, 4).unwrap();
    let locations = symcache.look_up(&[0x18, 0x41, 0x10, 0, 0x18]).unwrap();
    assert_eq!(locations.starts, [0, 1, 2, 3, 3, 4]);
    assert!(locations.strings.iter().eq(["", "f", "p", "a.c"]));
    assert_eq!(locations.functions, [1, 2, 1, 1]);
    assert_eq!(locations.files, [3, 0, 3, 3]);
    assert_eq!(locations.lines, [2, 0, 1, 2]);
    assert_eq!(locations.function_starts, [0x10, 0x40, 0x10, 0, 0x10]);
}

#[test]
fn paths_equal_those_of_symbolic() {
    let parts = [
        "",
        "a",
        "a.c",
        "/",
        "//",
        "/a",
        "/a/",
        "//a/b",
        "a//b",
        ".",
        "..",
        "./a",
        "../a",
        "a/.",
        "a/..",
        "a/../b",
        "/..",
        "a/./b",
        "a/.b",
        "a/b.",
        ".a",
        "c:",
        "c:/a",
        "c:\\a",
        "c:a",
        "hg:h.org/m:a",
        "a\\b",
        "\\a",
        "\\\\a",
        "<std>",
        "<a",
        "ä/ö",
        "é",
    ];
    let paths: Vec<String> = parts
        .iter()
        .flat_map(|start| {
            parts.iter().flat_map(move |end| ["", "/", "\\"].map(|separator| [start, separator, end].concat()))
        })
        .collect();
    let files = (0..).zip(&paths).map(|(id, path)| format!("FILE {id} {path}\n"));
    let lines = (0..paths.len()).map(|id| format!("{:x} 1 7 {id}\n", 0x10 + id));
    let function = format!("FUNC 10 {:x} 0 f\n", paths.len());
    let text: String = std::iter::once(MODULE.to_owned()).chain(files).chain([function]).chain(lines).collect();
    assert_equal_to_symbolic("a.so", DEBUG_ID, text.as_bytes(), &[1 << 20]);
}

#[test]
fn reads_adjacent_pages_together() {
    let file = sym_files().into_iter().find(|file| file.debug_filename == "libstdc++.so.6").unwrap();
    let bytes = convert(&file.debug_filename, &file.debug_id, &file.text, &[1 << 20]).unwrap();
    let (size, starts) = (bytes.len() as u64, range_starts(&bytes));
    let reads = Rc::new(Cell::new(0));
    let read_at = {
        let (reads, mut read_at) = (Rc::clone(&reads), read_from(bytes));
        move |into: &mut [u8], offset: u64| {
            reads.set(reads.get() + 1);
            read_at(into, offset)
        }
    };
    let cache = Rc::new(RefCell::new(PageCache::new(1 << 20)));
    let mut symcache = Symcache::open(Box::new(read_at), size, &file.debug_filename, &file.debug_id, &cache).unwrap();
    symcache.look_up(&starts).unwrap();
    let pages = size as usize / PAGE;
    assert!(reads.get() < pages / 10, "{} reads of {pages} pages", reads.get());
    reads.set(0);
    symcache.look_up(&starts).unwrap();
    assert_eq!(reads.get(), 0);
}

#[test]
fn rejects_another_modules_symcache() {
    let file = convert("a.so", DEBUG_ID, MODULE.as_bytes(), &[99]).unwrap();
    let open = |filename, id| open(file.clone(), filename, id, 4).err();
    assert_eq!(open("a.so", DEBUG_ID), None);
    assert_eq!(open("b.so", DEBUG_ID), Some(Damaged("symcache of another module")));
    assert_eq!(open("a.so", "000000000000000000000000000000020"), Some(Damaged("symcache of another module")));
}

#[test]
fn detects_every_flipped_bit_and_every_truncation() {
    let text = format!("{MODULE}FILE 0 a.c\nFUNC 10 10 0 f\n10 8 1 0\n18 8 2 0\nPUBLIC 40 0 p\n");
    let file = convert("a.so", DEBUG_ID, text.as_bytes(), &[99]).unwrap();
    let is_damaged = |bytes: Vec<u8>| {
        let offsets = [0, 0x10, 0x18, 0x20, 0x40];
        let ahead = read_ahead(&bytes, "a.so", DEBUG_ID, 1).is_ok_and(|mut ahead| ahead.look_up(&offsets).is_ok());
        let paged = open(bytes, "a.so", DEBUG_ID, 4).is_ok_and(|mut paged| paged.look_up(&offsets).is_ok());
        !ahead && !paged
    };
    assert!(!is_damaged(file.clone()));
    for bit in 0..8 * file.len() {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(is_damaged(flipped), "bit {bit}");
    }
    for length in 0..file.len() {
        assert!(is_damaged(file[..length].to_vec()), "truncated to {length}");
    }
}
