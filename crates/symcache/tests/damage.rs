//! Lookups in damaged symcache files: they fail, or have Symbolic's results.
//!
//! Most of the files have valid checksums, so that only the checks of indexes can detect the damage.

mod oracle;
mod patched;

use std::cell::RefCell;
use std::rc::Rc;

use oracle::{open, read_ahead, symbolic_look_up};
use patched::{DEBUG_ID, Sections, patched, sample, set_word, word};
use symbolic_symcache::SymCache;
use symcache::{Damaged, Locations, LookupError, PageCache, Symcache};

const OFFSETS: [u32; 9] = [0, 0x10, 0x18, 0x1C, 0x20, 0x28, 0x40, 0x41, u32::MAX];

/// The result of a lookup, which is the same whether or not the file was read ahead.
fn look_up(file: &[u8]) -> Result<Locations, Damaged> {
    let look_up_in = |mut symcache: Symcache| {
        symcache.look_up(&OFFSETS).map_err(|error| match error {
            LookupError::Damaged(damaged) => damaged,
            LookupError::TooLarge => panic!("{OFFSETS:?} have a small result"),
        })
    };
    let paged = open(file.to_vec(), "a.so", DEBUG_ID, 2).and_then(look_up_in);
    let ahead = read_ahead(file, "a.so", DEBUG_ID, 1).and_then(look_up_in);
    assert_eq!(paged, ahead);
    paged
}

/// The error after one word of the sample's payload is replaced.
fn damage(place: impl FnOnce(&Sections) -> usize, word: u32) -> &'static str {
    let file = patched(|payload, sections| set_word(payload, place(sections), word));
    look_up(&file).expect_err("damaged").0
}

fn assert_like_symbolic(file: &[u8], locations: &Locations, context: &str) {
    let aligned = symbolic_common::ByteView::from_vec(file.to_vec());
    let theirs = SymCache::parse(&aligned).unwrap();
    for (i, offset) in OFFSETS.into_iter().enumerate() {
        let ours: Vec<_> = locations.of(i).map(|(name, file, line)| (name.to_owned(), file.to_owned(), line)).collect();
        let theirs: Vec<_> =
            symbolic_look_up(&theirs, offset).into_iter().map(|(name, file, line, _)| (name, file, line)).collect();
        assert_eq!(ours, theirs, "{context}: {offset:#x}");
    }
}

#[test]
fn checks_the_header_on_open() {
    assert_eq!(damage(|_| 0, 0x5359_4D43), "not a symcache, or a symcache of another version");
    for version in [0, 7, 8, 10] {
        assert_eq!(damage(|_| 4, version), "not a symcache, or a symcache of another version");
    }
    for count in [44, 48, 52, 56, 60] {
        for value in [0, 1, 1000, u32::MAX] {
            let found = damage(|_| count, value);
            assert!(["header with impossible counts", "samples don't match the ranges"].contains(&found), "{found}");
        }
    }
    let empty = patched(|payload, _| payload.clear());
    assert_eq!(look_up(&empty), Err(Damaged("position behind the end")));
}

#[test]
fn checks_every_index_before_use() {
    let lost = "source location without its file or function";
    // The last three source locations belong to the range at 0x20, the gap after it, and the public symbol.
    for index in [3, 1000, u32::MAX - 4] {
        assert_eq!(damage(|at| at.ranges - 48, index), lost);
        assert_eq!(damage(|at| at.ranges - 48 + 8, index + 1), lost);
        assert_eq!(damage(|at| at.ranges - 48 + 12, index + 3), "caller behind its callee");
    }
    for offset in [1000, u32::MAX - 1] {
        assert_eq!(damage(|at| at.functions, offset), "a string that ends behind all strings");
        assert_eq!(damage(|at| at.files + 4, offset), "a string that ends behind all strings");
        assert_eq!(damage(|at| at.files + 8, offset), "a string that ends behind all strings");
    }
}

#[test]
fn never_follows_cyclic_calls() {
    let behind = Err(Damaged("caller behind its callee"));
    let file = patched(|payload, at| {
        let own = (at.ranges - at.locations) / 16 - 1;
        for location in 0..=own {
            set_word(payload, at.locations + 16 * location + 12, location as u32);
        }
    });
    assert_eq!(look_up(&file), behind);
    let file = patched(|payload, at| {
        set_word(payload, at.locations + 12, 1);
        set_word(payload, at.locations + 16 + 12, 0);
    });
    assert_eq!(look_up(&file), behind);
}

#[test]
fn checks_the_length_and_utf_8_of_strings() {
    let string = |bytes: &'static [u8]| {
        look_up(&patched(|payload, at| {
            let name = at.strings + word(payload, at.functions) as usize;
            payload[name..name + bytes.len()].copy_from_slice(bytes);
        }))
    };
    assert_eq!(string(b"\xFF\xFF\xFF\xFF\xFF"), Err(Damaged("a string of impossible length")));
    assert_eq!(string(b"\xFF\xFF\xFF\xFF\x7F"), Err(Damaged("a string of impossible length")));
    assert_eq!(string(b"\xFF\xFF\x03"), Err(Damaged("a string that ends behind all strings")));
    assert_eq!(string(b"\x03a\xFFc"), Err(Damaged("a string that is not UTF-8")));
    assert_eq!(string(b"\x02a\xC3"), Err(Damaged("a string that is not UTF-8")));
    assert!(string(b"\x03abc").is_ok_and(|locations| locations.strings.iter().any(|string| string == "abc")));
}

#[test]
fn treats_missing_indexes_like_symbolic() {
    for place in [0, 4, 8] {
        for record in 0..2 {
            let file = patched(|payload, at| set_word(payload, at.files + 24 * record + place, u32::MAX));
            assert_like_symbolic(&file, &look_up(&file).unwrap(), "file");
        }
    }
    for record in 0..4 {
        let file = patched(|payload, at| set_word(payload, at.functions + 16 * record, u32::MAX));
        assert_like_symbolic(&file, &look_up(&file).unwrap(), "function");
    }
    for place in [0, 8, 12] {
        for back in 1..6 {
            let file = patched(|payload, at| set_word(payload, at.ranges - 16 * back + place, u32::MAX));
            assert_like_symbolic(&file, &look_up(&file).unwrap(), "source location");
        }
    }
}

#[test]
fn fails_or_has_symbolics_results_for_any_changed_words() {
    let mut state = 42_u32;
    let mut random = |n: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % n
    };
    let mut answered = 0;
    for case in 0..20_000 {
        let file = patched(|payload, at| {
            for _ in 0..=random(3) {
                // Symbolic's binary search differs for unordered ranges.
                let places = (at.files..at.ranges - 3).chain(at.strings..payload.len() - 3);
                let place = places.clone().nth(random(places.count())).unwrap();
                let word = [random(8), random(64), random(1 << 31), u32::MAX as usize - random(2)][random(4)];
                set_word(payload, place, word as u32);
            }
        });
        if let Ok(locations) = look_up(&file) {
            assert_like_symbolic(&file, &locations, &format!("case {case}"));
            answered += 1;
        }
    }
    assert!((1000..19_000).contains(&answered), "{answered} answered");
}

#[test]
fn survives_ranges_in_any_order() {
    for first in [0, 1, 0x10, 0x19, 0x1000, u32::MAX] {
        for range in 0..5 {
            let file = patched(|payload, at| set_word(payload, at.ranges + 4 * range, first));
            let _ = look_up(&file);
        }
    }
}

#[test]
fn keeps_verified_pages_and_detects_damage_on_reload() {
    let file = Rc::new(RefCell::new(sample()));
    let cache = Rc::new(RefCell::new(PageCache::new(2)));
    let open = || {
        let bytes = Rc::clone(&file);
        let read_at = move |into: &mut [u8], offset: u64| {
            into.copy_from_slice(&bytes.borrow()[offset as usize..][..into.len()]);
            Some(into.len())
        };
        Symcache::open(Box::new(read_at), file.borrow().len() as u64, "a.so", DEBUG_ID, &cache)
    };
    let mut symcache = open().unwrap();
    let before = symcache.look_up(&OFFSETS).unwrap();
    file.borrow_mut()[100] ^= 4;
    assert_eq!(symcache.look_up(&OFFSETS), Ok(before), "verified pages stay cached");
    drop(symcache);
    assert_eq!(open().err(), Some(Damaged("page with a wrong checksum")));
}

#[test]
fn reports_unreadable_and_truncated_files_as_damaged() {
    let file = sample();
    let size = file.len() as u64;
    let open = |readable: Option<usize>| {
        let file = file.clone();
        let read_at = move |into: &mut [u8], offset: u64| {
            into.copy_from_slice(&file[offset as usize..][..into.len()]);
            readable.map(|most| into.len().min(most))
        };
        let cache = Rc::new(RefCell::new(PageCache::new(2)));
        Symcache::open(Box::new(read_at), size, "a.so", DEBUG_ID, &cache).err()
    };
    assert_eq!(open(None), Some(Damaged("can't be read")));
    assert_eq!(open(Some(39)), Some(Damaged("shorter than its size")));
    assert_eq!(open(Some(usize::MAX)), None);
}
