//! Limits that Symbolic doesn't have, and large inputs within them.

mod oracle;

use oracle::{convert, open};
use symcache::{Converter, MAX_LINE_BYTES, MAX_NAME_BYTES, Reason};

const DEBUG_ID: &str = "000000000000000000000000000000010";

fn sym_file(records: &[String]) -> Vec<u8> {
    format!("MODULE Linux x86_64 {DEBUG_ID} a.so\n{}\n", records.join("\n")).into_bytes()
}

/// The function, file and line of each call at an offset, innermost first.
fn calls_at(records: &[String], offset: u32) -> Vec<(String, String, u32)> {
    let file = convert("a.so", DEBUG_ID, &sym_file(records), &[1 << 20]).unwrap();
    let locations = open(file, "a.so", DEBUG_ID, 1 << 10).unwrap().look_up(&[offset]).unwrap();
    locations.of(0).map(|(function, file, line)| (function.to_owned(), file.to_owned(), line)).collect()
}

#[test]
fn truncates_long_names_and_paths_between_characters() {
    let long = "é".repeat(MAX_NAME_BYTES);
    let records = [
        format!("FILE 0 /a/{long}"),
        format!("INLINE_ORIGIN 0 i{long}"),
        format!("FUNC 10 10 0 f{long}"),
        "INLINE 0 1 0 0 10 8".to_owned(),
        "10 10 2 0".to_owned(),
    ];
    let calls = calls_at(&records, 0x10);
    assert_eq!(calls.len(), 2);
    for (name, path, _) in calls {
        for cut in [name, path] {
            assert!((MAX_NAME_BYTES - 1..=MAX_NAME_BYTES).contains(&cut.len()), "{} bytes", cut.len());
            assert!(cut.ends_with("é…"));
        }
    }
    let public = calls_at(&[format!("PUBLIC 10 0 p{long}")], 0x10);
    assert!((MAX_NAME_BYTES - 1..=MAX_NAME_BYTES).contains(&public[0].0.len()));
    let whole = "n".repeat(MAX_NAME_BYTES);
    assert_eq!(calls_at(&[format!("PUBLIC 10 0 {whole}")], 0x10)[0].0, whole);
}

#[test]
fn rejects_only_lines_over_the_limit() {
    let line = |length| {
        let begin = "FUNC 10 10 0 ";
        format!("{begin}{}", "n".repeat(length - begin.len()))
    };
    let converted = |length| convert("a.so", DEBUG_ID, &sym_file(&[line(length)]), &[1 << 20]).map(|file| file.len());
    assert!(converted(MAX_LINE_BYTES - 1).is_ok());
    assert_eq!(converted(MAX_LINE_BYTES + 1), Err(Reason::Malformed));
}

#[test]
fn rejects_inline_calls_that_split_each_other_into_millions() {
    // A hundred kilobytes, for which Symbolic needs 18 s and 5 GB.
    let calls = 2000;
    let mut records = vec![format!("FUNC 0 {:x} 0 f", 16 * calls)];
    records.extend((0..calls).map(|i| format!("INLINE 0 1 0 0 {:x} 10", 16 * i)));
    records.extend((1..calls).map(|depth| format!("INLINE {depth} 1 0 0 0 {:x}", 16 * calls)));
    assert_eq!(convert("a.so", DEBUG_ID, &sym_file(&records), &[1 << 20]), Err(Reason::Malformed));

    let mut converter = Converter::new("a.so", DEBUG_ID, &[0; 16]).unwrap();
    let error = converter.push(&sym_file(&records)).and_then(|()| converter.finish().map(drop)).unwrap_err();
    assert_eq!(error.message, "the inline calls of the function at 0x0 overlap too much");
}

#[test]
fn converts_four_hundred_thousand_inline_calls_in_one_function() {
    let calls = 400_000;
    let begin = ["FILE 0 a.c".to_owned(), "INLINE_ORIGIN 0 g".to_owned(), format!("FUNC 0 {:x} 0 f", 8 * calls)];
    let mut records = begin.to_vec();
    // Half of them extend beyond their parent and are split.
    records.extend((0..calls / 2).map(|i| format!("INLINE 0 {i} 0 0 {:x} 10", 16 * i)));
    records.extend((0..calls / 2).map(|i| format!("INLINE 1 {i} 0 0 {:x} 10", 16 * i + 4)));
    records.extend((0..2 * calls).map(|i| format!("{:x} 4 {i} 0", 4 * i)));
    let lines: Vec<u32> = calls_at(&records, 16 * 1000 + 8).iter().map(|call| call.2).collect();
    assert_eq!(lines, [4002, 1000, 1000]);
}

#[test]
fn converts_inline_calls_twenty_thousand_deep() {
    let depth = 20_000;
    let mut records = vec!["FILE 0 a.c".to_owned(), "INLINE_ORIGIN 0 g".to_owned(), "FUNC 0 10 0 f".to_owned()];
    records.extend((0..depth).map(|depth| format!("INLINE {depth} {} 0 0 0 10", depth + 1)));
    records.push("0 10 77 0".to_owned());
    let calls = calls_at(&records, 5);
    assert_eq!(calls.len(), depth + 1);
    assert_eq!(calls[0], ("g".to_owned(), "a.c".to_owned(), 77));
    assert_eq!(calls[depth], ("f".to_owned(), "a.c".to_owned(), 1));
}

#[test]
fn converts_a_hundred_thousand_ranges_of_one_inline_call() {
    let ranges: String = (0..100_000).map(|i| format!(" {:x} 4", 8 * i)).collect();
    let records = ["FUNC 0 c3500 0 f".to_owned(), format!("INLINE 0 1 0 0{ranges}"), "0 c3500 2 0".to_owned()];
    assert_eq!(calls_at(&records, 8 * 99_999).len(), 2);
    assert_eq!(calls_at(&records, 8 * 99_999 + 4).len(), 1);
}
