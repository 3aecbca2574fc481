//! Made-up sym files: equal to Symbolic at every address, whatever they are.
//!
//! `PROPTEST_CASES` says how many there are of each kind.

mod fixtures;
mod oracle;
mod sym_texts;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{self, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, Once};
use std::time::{Duration, Instant};
use std::{process, thread};

use fixtures::sym_files;
use oracle::assert_equal_to_symbolic;
use proptest::array::{uniform8, uniform12, uniform20};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use sym_texts::{Arrival, DEBUG_FILENAME, DEBUG_ID};
use symcache::checksum::checksum;

const CASES: u32 = 30_000;

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    // A failing case is shrunk and printed, to become a test of its own.
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 100_000, ..ProptestConfig::default() }
}

#[test]
fn has_symbolics_results_for_generated_files() {
    assert_all_equal_to_symbolic(generated());
}

#[test]
fn has_symbolics_results_for_edited_recordings() {
    assert_all_equal_to_symbolic(changed());
}

fn assert_all_equal_to_symbolic(arrivals: impl Strategy<Value = Arrival>) {
    let assert_equal = |arrival: &Arrival| {
        let _watch = Watch::over(arrival);
        let Arrival { debug_filename, debug_id, text, pieces } = arrival;
        assert_equal_to_symbolic(debug_filename, debug_id, text, pieces);
    };
    let result = quietly(|| {
        TestRunner::new(config()).run(&arrivals, |arrival| {
            assert_equal(&arrival);
            Ok(())
        })
    });
    let mut arrival = match result {
        Ok(()) => return,
        Err(TestError::Abort(reason)) => panic!("{reason}"),
        Err(TestError::Fail(_, arrival)) => arrival,
    };
    // Proptest shrinks the seeds of lines. This also drops lines of the text.
    quietly(|| arrival.drop_lines(|fewer| catch_unwind(|| assert_equal(fewer)).is_err()));
    eprintln!("{arrival:?}");
    assert_equal(&arrival);
}

/// Suppresses the thousands of panic messages of shrinking.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    thread_local!(static IS_QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_QUIET.get() {
                usual(panic);
            }
        }));
    });
    IS_QUIET.set(true);
    let result = run();
    IS_QUIET.set(false);
    result
}

/// Prints the sym file and aborts if a conversion hangs: proptest only catches panics.
struct Watch {
    number: u64,
}

static WATCHED: Mutex<BTreeMap<u64, (Instant, Arrival)>> = Mutex::new(BTreeMap::new());

impl Watch {
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn over(arrival: &Arrival) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        static WATCHER: Once = Once::new();
        WATCHER.call_once(|| drop(thread::spawn(Self::watch)));
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        WATCHED.lock().unwrap().insert(number, (Instant::now(), arrival.clone()));
        Self { number }
    }

    fn watch() {
        loop {
            thread::sleep(Duration::from_secs(1));
            if let Some((since, arrival)) = WATCHED.lock().unwrap().values().next()
                && since.elapsed() > Self::TIMEOUT
            {
                eprintln!("timed out: {arrival:?}");
                process::abort();
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.lock().unwrap().remove(&self.number);
    }
}

/// Covers the segments of lists and the sparse index, which small files don't fill.
#[test]
fn has_symbolics_results_for_a_large_unordered_file() {
    const FUNCTIONS: u64 = 130_000;
    let random = |number: u64| checksum(&number.to_le_bytes(), 7);
    let mut text = format!("MODULE Linux x86_64 {DEBUG_ID} a.so\n");
    text.extend((0..3000).map(|number| format!("FILE {number} /src/{}/{number}.c\n", number % 70)));
    text.extend((0..500).map(|number| format!("INLINE_ORIGIN {} inlined {number}\n", 3 * number)));
    for number in 0..FUNCTIONS {
        // Mostly in order, some slightly off, and some far away.
        let place = match random(number) % 64 {
            0 => random(number + FUNCTIONS) % FUNCTIONS,
            1 => number.saturating_sub(random(number) / 64 % 2000),
            _ => number,
        };
        let (start, file) = (0x20 * place, number % 3500);
        text += &format!("FUNC {start:x} 1e 0 the function {number} with its {}\n", random(number) % 1_000_000);
        if number % 3 == 0 {
            text += &format!("INLINE 0 {number} {file} {} {:x} 8 {:x} 4\n", number % 1600, start + 4, start + 16);
            text += &format!("INLINE 1 7 {file} {} {:x} 4\n", number % 1500, start + 6);
        }
        text += &format!("{start:x} 8 {number} {file}\n{:x} 16 {} {}\n", start + 8, number + 1, file / 2);
        if number % 50 == 0 {
            text += &format!("PUBLIC {:x} 0 public {number}\n", random(number) % (0x20 * FUNCTIONS));
        }
    }
    assert_equal_to_symbolic(DEBUG_FILENAME, DEBUG_ID, text.as_bytes(), &[65_536]);
}

fn generated() -> impl Strategy<Value = Arrival> {
    let line = || uniform20(any::<u8>());
    // Symbolic rejects half of all edited files, which hides other differences.
    let edits = prop_oneof![3 => Just(Vec::new()), 1 => vec(uniform8(any::<u8>()), 1..3)];
    (uniform12(any::<u8>()), prop_oneof![8 => vec(line(), 0..50), 1 => vec(line(), 50..200)], edits)
        .prop_map(|(file, lines, edits)| Arrival::generated(&file, &lines, &edits))
}

fn changed() -> impl Strategy<Value = Arrival> {
    let edits = vec(uniform8(any::<u8>()), 1..5);
    (0..EXCERPTS.len(), 0..EXCERPTS.len(), uniform12(any::<u8>()), edits).prop_map(|(excerpt, other, file, edits)| {
        let Excerpt { debug_filename, debug_id, lines } = &EXCERPTS[excerpt];
        let arrival = Arrival::changed(&file, lines, &edits, &EXCERPTS[other].lines);
        Arrival { debug_filename, debug_id, ..arrival }
    })
}

/// A recorded sym file, or an excerpt that is small enough to convert thousands of times.
struct Excerpt {
    debug_filename: String,
    debug_id: String,
    lines: Vec<Vec<u8>>,
}

static EXCERPTS: LazyLock<Vec<Excerpt>> = LazyLock::new(|| {
    const HEAD: usize = 40;
    const FUNCTIONS: usize = 40;
    const FROM_EACH: usize = 20;
    let mut excerpts = Vec::new();
    for file in sym_files() {
        let lines: Vec<Vec<u8>> = file.text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let excerpt = |lines: Vec<Vec<u8>>| Excerpt {
            debug_filename: file.debug_filename.clone(),
            debug_id: file.debug_id.clone(),
            lines,
        };
        if lines.len() <= HEAD + FUNCTIONS {
            excerpts.push(excerpt(lines));
            continue;
        }
        let functions: Vec<usize> = (HEAD..lines.len()).filter(|at| lines[*at].starts_with(b"FUNC ")).collect();
        for at in functions.iter().step_by(functions.len().div_ceil(FROM_EACH).max(1)) {
            let end = lines.len().min(at + FUNCTIONS);
            excerpts.push(excerpt([&lines[..HEAD], &lines[*at..end]].concat()));
        }
    }
    excerpts
});
