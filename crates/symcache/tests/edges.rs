//! Symbolic 13.9.0's results for unusual sym files, written down: these tests don't depend on the oracle.

mod oracle;

use oracle::{assert_equal_to_symbolic, convert, open};

const DEBUG_ID: &str = "000000000000000000000000000000010";

/// Each row: a name, the sym file after its `MODULE` line, and the results by offset: `10 f` for the function `f` without a
/// file, `10 f a.c:1`, `10 g b.c:2 < f a.c:1` for `g` inlined into `f`, `10 -` for no result, `10 f@10` for a function that
/// starts at 0x10. Or the reason for rejection.
macro_rules! edges {
    ($($sentence:ident: $text:expr => $answers:expr;)*) => {
        $(#[test]
        fn $sentence() {
            check($text.as_ref(), $answers);
        })*
    };
}

edges! {
    // Functions
    a_gap_between_functions_has_no_answer: "FUNC 10 4 0 f\nFUNC 20 4 0 g\n" => "f -, 10 f, 13 f, 14 -, 1f -, 20 g, 23 g";
    nothing_is_known_behind_the_last_function: "FUNC 10 4 0 f\n" => "14 -, ffffffff -";
    a_function_begins_without_a_file_before_its_first_line: "FILE 0 a.c\nFUNC 10 10 0 f\n14 4 1 0\n" => "10 f, 13 f, 14 f a.c:1";
    a_line_goes_on_to_the_end_of_its_function: "FILE 0 a.c\nFUNC 10 10 0 f\n10 4 1 0\n" => "13 f a.c:1, 14 f a.c:1, 1f f a.c:1, 20 -";
    a_line_goes_on_through_the_hole_behind_it: "FILE 0 a.c\nFUNC 10 10 0 f\n10 2 1 0\n18 8 2 0\n" => "17 f a.c:1, 18 f a.c:2";
    of_duplicate_functions_with_lines_the_last_one_answers: "FILE 0 a.c\nFUNC 10 8 0 f\n10 8 1 0\nFUNC 10 8 0 g\n10 8 2 0\n" => "10 g a.c:2, 17 g a.c:2";
    of_duplicate_functions_without_lines_the_first_one_answers: "FUNC 10 8 0 f\nFUNC 10 8 0 g\n" => "10 f, 17 f";
    behind_a_function_inside_another_nothing_is_known: "FUNC 10 10 0 f\nFUNC 14 4 0 g\n" => "10 f, 14 g, 17 g, 18 -, 1f -";
    functions_out_of_order_answer_as_in_order: "FUNC 20 4 0 g\nFUNC 10 4 0 f\n" => "10 f, 14 -, 20 g, 24 -";
    adjacent_functions_leave_no_gap: "FUNC 10 4 0 f\nFUNC 14 4 0 g\n" => "13 f, 14 g, 17 g, 18 -";
    a_function_of_size_0_is_passed_over: "FUNC 10 0 0 f\n" => "10 -";
    a_function_above_32_bits_is_passed_over: "FUNC 100000010 10 0 f\nFUNC 20 4 0 g\n" => "10 -, 20 g";
    a_function_in_the_last_bytes_wraps: "FUNC fffffff0 10 0 f\n" => "fffffff0 f, ffffffff f, 0 -";
    a_function_that_ends_past_32_bits_cuts_the_one_at_the_wrapped_end: "FUNC 10 20 0 f\nFUNC fffffff0 24 0 g\n" => "0 -, 10 f, 13 f, 14 -, 2f -, fffffff0 g";
    a_function_that_ends_past_64_bits_has_no_lines: "FILE 0 a.c\nFUNC 10 ffffffffffffffff 0 f\n10 4 1 0\n" => "10 f, fffffffe f, ffffffff -";
    the_multiple_flag_makes_no_difference: "FUNC m 10 4 0 f\nPUBLIC m 20 0 p\n" => "10 f, 20 p";
    a_function_without_a_name_is_unknown: "FUNC 10 4 0\nFUNC 20 4 0 \nPUBLIC 30 0\n" => "10 <unknown>, 20 <unknown>, 30 <unknown>";
    an_outermost_function_tells_where_it_begins: "FUNC 10 4 0 f\nPUBLIC 20 0 p\n" => "13 f@10, 25 p@20";
    mangled_names_stay_as_they_are: "FUNC 10 4 0 _ZN3foo3barEv\n" => "10 _ZN3foo3barEv";

    // PUBLIC
    the_last_public_goes_on_for_ever: "PUBLIC 10 0 p\n" => "f -, 10 p, ffffffff p";
    a_public_ends_where_the_next_one_begins: "PUBLIC 10 0 p\nPUBLIC 20 0 q\n" => "1f p, 20 q";
    of_duplicate_publics_the_first_one_answers: "PUBLIC 10 0 p\nPUBLIC 10 0 q\n" => "10 p";
    a_public_inside_a_function_answers_up_to_its_next_line: "FILE 0 a.c\nFUNC 1000 30 0 f\n1000 8 1 0\n1020 8 2 0\nPUBLIC 1010 0 p\n" => "100f f a.c:1, 1010 p, 101f p, 1020 f a.c:2";
    a_public_at_the_start_of_a_function_gives_way: "PUBLIC 10 0 p\nFUNC 10 4 0 f\n" => "10 f";
    a_public_at_the_start_of_a_line_gives_way: "FILE 0 a.c\nFUNC 10 8 0 f\n10 4 1 0\n14 4 2 0\nPUBLIC 14 0 p\n" => "14 f a.c:2";
    a_public_at_the_end_of_a_function_answers: "FUNC 10 4 0 f\nPUBLIC 14 0 p\n" => "13 f, 14 p, ffffffff p";
    a_public_goes_on_through_functions_that_were_passed_over: "PUBLIC 10 0 p\nFUNC 20 0 0 f\nFUNC 30 4 0 g\n" => "2f p, 30 g, 34 -";
    a_public_above_32_bits_wraps: "PUBLIC 100000010 0 p\n" => "f -, 10 p";
    a_bad_public_is_passed_over: "PUBLIC x 0 p\nPUBLIC 10\nPUBLIC 20 0 q\nPUBLIC 30 0 \u{a0}r\n" => "10 -, 20 q, 30 \u{a0}r";
    a_public_that_is_not_utf_8_is_passed_over: b"PUBLIC 10 0 \xff\nPUBLIC 20 0 q\n" => "10 -, 20 q";

    // Lines
    a_line_number_0_is_kept_with_its_file: "FILE 0 a.c\nFUNC 10 4 0 f\n10 4 0 0\n" => "10 f a.c:0";
    a_negative_line_number_is_0: "FILE 0 a.c\nFUNC 10 4 0 f\n10 4 -7 0\n" => "10 f a.c:0";
    a_line_number_past_32_bits_wraps: "FILE 0 a.c\nFUNC 10 4 0 f\n10 4 4294967303 0\n" => "10 f a.c:7";
    an_unknown_file_hides_the_line_too: "FILE 0 a.c\nFUNC 10 4 0 f\n10 4 1 9\n" => "10 f";
    a_line_of_size_0_is_passed_over: "FILE 0 a.c\nFUNC 10 8 0 f\n10 4 1 0\n14 0 2 0\n" => "14 f a.c:1";
    a_line_before_its_function_is_passed_over: "FILE 0 a.c\nFUNC 10 4 0 f\n8 10 1 0\n" => "8 -, 10 f";
    a_line_past_the_end_of_its_function_is_passed_over: "FILE 0 a.c\nFUNC 10 4 0 f\n10 4 1 0\n14 4 2 0\n" => "13 f a.c:1, 14 -";
    a_line_that_leaves_its_function_is_cut_there: "FILE 0 a.c\nFUNC 10 4 0 f\n10 40 1 0\n" => "13 f a.c:1, 14 -";
    lines_out_of_order_answer_as_in_order: "FILE 0 a.c\nFUNC 10 8 0 f\n14 4 2 0\n10 4 1 0\n" => "10 f a.c:1, 14 f a.c:2";
    a_line_that_begins_inside_another_is_passed_over: "FILE 0 a.c\nFUNC 10 20 0 f\n10 10 1 0\n18 10 2 0\n" => "17 f a.c:1, 18 f a.c:1, 2f f a.c:1";
    of_lines_at_one_address_the_first_one_answers: "FILE 0 a.c\nFUNC 10 4 0 f\n10 4 1 0\n10 2 2 0\n10 1 3 0\n" => "10 f a.c:1, 13 f a.c:1";

    // FILE
    of_files_with_one_number_the_last_one_counts: "FILE 0 a.c\nFILE 0 b.c\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f b.c:1";
    file_numbers_may_be_sparse: "FILE 18446744073709551615 a.c\nFUNC 10 4 0 f\n10 4 1 18446744073709551615\n" => "10 f a.c:1";
    a_blank_line_before_the_files_loses_them: "\nFILE 0 a.c\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f";
    an_inline_origin_before_the_files_loses_them: "INLINE_ORIGIN 0 g\nFILE 0 a.c\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f";
    info_lines_among_the_files_are_fine: "INFO URL x\nFILE 0 a.c\nINFO URL y\nFILE 1 b.c\nFUNC 10 4 0 f\n10 4 1 1\n" => "10 f b.c:1";
    a_bad_file_is_passed_over: "FILE x a.c\nFILE -1 a.c\nFILE 0\u{a0}a.c\nFILE 2 b.c\nFUNC 10 8 0 f\n10 4 1 0\n14 4 1 2\n" => "10 f, 14 f b.c:1";
    a_file_that_is_not_utf_8_is_passed_over: late(b"FILE 0 \xff\nFILE 2 b.c\nFUNC 10 8 0 f\n10 4 1 0\n14 4 1 2\n") => "10 f, 14 f b.c:1";
    the_first_320_bytes_must_be_utf_8: [b"INFO URL \xff\n", &late(b"")[..]].concat() => "refused: sym_malformed";
    the_first_320_bytes_may_be_anything_where_they_are_all: b"INFO URL \xff\nPUBLIC 10 0 p\n" => "10 p";
    a_file_after_the_first_function_is_refused: "FUNC 10 4 0 f\nFILE 0 a.c\n" => "refused: sym_malformed";
    a_file_after_a_public_is_passed_over: "FILE 0 a.c\nPUBLIC 8 0 p\nFILE 0 b.c\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f a.c:1";
    a_path_without_a_name_is_no_file: "FILE 0\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f";
    paths_are_cleaned: "FILE 0 /a/b/../c.cpp\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f /a/c.cpp:1";
    windows_paths_are_cleaned: "FILE 0 c:\\a\\..\\b.c\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f c:\\b.c:1";
    paths_in_version_control_are_cleaned: "FILE 0 hg:hg.mozilla.org/mozilla-central:dom/x/../a.cpp:abc\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f hg:hg.mozilla.org/mozilla-central:dom/a.cpp:abc:1";
    paths_in_storage_keep_their_last_colon: "FILE 0 s3:bucket:abc/def.c:\nFUNC 10 4 0 f\n10 4 1 0\n" => "10 f s3:bucket:abc/def.c::1";

    // INLINE
    an_inlined_call_stands_before_its_caller: "FILE 0 a.c\nFILE 1 b.c\nINLINE_ORIGIN 0 g\nFUNC 10 10 0 f\nINLINE 0 5 0 0 14 4\n10 10 7 1\n" => "13 f b.c:7, 14 g b.c:7 < f a.c:5, 17 g b.c:7 < f a.c:5, 18 f b.c:7";
    calls_inlined_in_calls_stand_innermost_first: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nINLINE_ORIGIN 1 h\nFUNC 10 10 0 f\nINLINE 0 1 0 0 10 8\nINLINE 1 2 0 1 10 4\n10 10 3 0\n" => "10 h a.c:3 < g a.c:2 < f a.c:1, 14 g a.c:3 < f a.c:1, 18 f a.c:3";
    each_range_of_an_inline_is_a_call: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nFUNC 10 10 0 f\nINLINE 0 1 0 0 10 4 18 4\n10 10 3 0\n" => "10 g a.c:3 < f a.c:1, 14 f a.c:3, 18 g a.c:3 < f a.c:1, 1c f a.c:3";
    where_a_call_is_inlined_the_outermost_function_tells_where_it_begins: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nFUNC 10 10 0 f\nINLINE 0 1 0 0 10 10\n10 10 3 0\n" => "14 g a.c:3 < f@10 a.c:1";
    an_inlined_call_without_an_origin_has_no_name: "FILE 0 a.c\nFUNC 10 4 0 f\nINLINE 0 1 0 9 10 4\n10 4 3 0\n" => "10  a.c:3 < f a.c:1";
    an_origin_is_what_it_was_when_the_call_was_read: "FILE 0 a.c\nFUNC 10 4 0 f\nINLINE_ORIGIN 0 g\nINLINE 0 1 0 0 10 4\n10 4 3 0\nINLINE_ORIGIN 0 h\n" => "10 g a.c:3 < f a.c:1";
    an_origin_may_stand_in_the_function_before: "FILE 0 a.c\nFUNC 8 4 0 e\nINLINE_ORIGIN 0 g\nFUNC 10 4 0 f\nINLINE 0 1 0 0 10 4\n10 4 3 0\n" => "10 g a.c:3 < f a.c:1";
    a_call_at_depth_1_without_one_at_0_is_passed_over: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nFUNC 10 4 0 f\nINLINE 1 1 0 0 10 4\n10 4 3 0\n" => "10 f a.c:3";
    a_call_longer_than_its_caller_is_split: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nINLINE_ORIGIN 1 h\nFUNC 10 10 0 f\nINLINE 0 1 0 0 10 4\nINLINE 0 2 0 0 14 4\nINLINE 1 3 0 1 10 8\n10 10 9 0\n" => "10 h a.c:9 < g a.c:3 < f a.c:1, 14 h a.c:9 < g a.c:3 < f a.c:2, 18 f a.c:9";
    of_overlapping_calls_the_first_one_answers: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nINLINE_ORIGIN 1 h\nFUNC 10 10 0 f\nINLINE 0 1 0 0 10 8\nINLINE 0 2 0 1 14 8\n10 10 9 0\n" => "14 g a.c:9 < f a.c:1, 17 g a.c:9 < f a.c:1, 18 h a.c:9 < f a.c:2, 1c f a.c:9";
    a_call_before_its_function_is_passed_over: "FILE 0 a.c\nFUNC 10 4 0 f\nINLINE 0 1 0 0 8 10\n10 4 3 0\n" => "10 f a.c:3";
    a_depth_past_32_bits_wraps: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nFUNC 10 4 0 f\nINLINE 4294967296 1 0 0 10 4\n10 4 3 0\n" => "10 g a.c:3 < f a.c:1";
    a_call_without_lines_in_it_answers_as_its_caller: "FILE 0 a.c\nINLINE_ORIGIN 0 g\nFUNC 10 10 0 f\nINLINE 0 1 0 0 14 4\n10 4 3 0\n" => "10 f a.c:3, 14 f a.c:1, 18 f a.c:1, 20 -";

    // What ends, what is passed over, and what is refused
    what_follows_stack_records_is_passed_over: "FUNC 10 4 0 f\nSTACK CFI INIT 10 4 x\nFUNC 20 4 0 g\nPUBLIC 30 0 p\nrubbish\n" => "10 f, 20 -, 30 -";
    unknown_lines_before_functions_are_passed_over: "rubbish\nFUNC 10 4 0 f\n" => "10 f";
    unknown_lines_in_a_function_are_refused: "FUNC 10 4 0 f\nrubbish\n" => "refused: sym_malformed";
    unknown_lines_after_a_public_are_passed_over: "FUNC 10 4 0 f\nPUBLIC 20 0 p\nrubbish\n10 4 1\n" => "10 f, 20 p";
    an_info_line_in_a_function_is_refused: "FUNC 10 4 0 f\nINFO URL x\n" => "refused: sym_malformed";
    an_info_line_after_a_public_is_passed_over: "PUBLIC 10 0 p\nINFO URL x\n" => "10 p";
    blank_lines_in_a_function_are_passed_over: "FILE 0 a.c\nFUNC 10 4 0 f\n\n\r\n10 4 1 0\n" => "10 f a.c:1";
    a_line_of_white_space_in_a_function_is_refused: "FUNC 10 4 0 f\n \n" => "refused: sym_malformed";
    a_bad_function_is_refused: "FUNC x 4 0 f\n" => "refused: sym_malformed";
    a_function_with_a_number_past_64_bits_is_refused: "FUNC 10000000000000000 4 0 f\n" => "refused: sym_malformed";
    a_function_that_is_not_utf_8_is_refused: late(b"FUNC 10 4 0 \xff\n") => "refused: sym_malformed";
    a_bad_line_is_refused: "FUNC 10 4 0 f\n10 4 1\n" => "refused: sym_malformed";
    a_bad_inline_is_refused: "FUNC 10 4 0 f\nINLINE 0 1 0 0\n" => "refused: sym_malformed";
    an_inline_with_half_a_range_is_refused: "FUNC 10 4 0 f\nINLINE 0 1 0 0 10 4 14\n" => "refused: sym_malformed";
    a_bad_inline_origin_is_refused: "INLINE_ORIGIN 0\n" => "refused: sym_malformed";
    a_bad_inline_origin_after_stack_records_is_passed_over: "PUBLIC 10 0 p\nSTACK \nINLINE_ORIGIN 0\n" => "10 p";
    a_module_line_alone_answers_nothing: "" => "0 -, 10 -, ffffffff -";
    a_file_cut_in_a_name_is_accepted: "FUNC 10 4 0 long_na" => "10 long_na";
    a_file_cut_in_a_line_is_refused: "FUNC 10 4 0 f\n10 4 1" => "refused: sym_malformed";
    carriage_returns_before_newlines_are_no_part_of_lines: "FILE 0 a.c\r\nFUNC 10 4 0 f\r\n10 4 1 0\r\n" => "10 f a.c:1";
    carriage_returns_alone_end_no_line: "FUNC 10 4 0 f\rFUNC 20 4 0 g\n" => "10 f\rFUNC 20 4 0 g, 20 -";

    // Words
    tabs_and_many_spaces_separate_words_too: "FILE 0\t a.c\nFUNC \t10  4\t0\t f\n10\t4  1\r0\n" => "10 f a.c:1";
    a_keyword_needs_a_space_behind_it: "FUNC\t10 4 0 f\nPUBLIC\t20 0 p\n" => "10 -, 20 -";
    a_keyword_begins_its_line: " FUNC 10 4 0 f\n" => "10 -";
    a_line_record_may_be_indented: "FILE 0 a.c\nFUNC 10 4 0 f\n\u{3000} 10 4 1 0\u{a0}\n" => "10 f a.c:1";
    white_space_of_any_script_around_a_name_is_no_part_of_it: "FUNC 10 4 0 f\u{2003}\u{85}\n" => "10 f";
    numbers_may_have_capitals_and_leading_zeros: "FUNC 00000000000000000000001A 4 0 f\n" => "1a f";
    names_may_have_anything_but_newlines: "FUNC 10 4 0 a\0b\tc  d\u{1f98a}\n" => "10 a\0b\tc  d\u{1f98a}";
}

/// Behind the first 320 bytes, which Symbolic wants to be UTF-8.
fn late(text: &[u8]) -> Vec<u8> {
    ["INFO URL x\n".repeat(32).as_bytes(), text].concat()
}

fn check(text: &[u8], expected: &str) {
    let text = [format!("MODULE Linux x86_64 {DEBUG_ID} a.so\n").as_bytes(), text].concat();
    let answers: Vec<String> = match convert("a.so", DEBUG_ID, &text, &[1]) {
        Err(reason) => vec![format!("refused: {}", reason.code())],
        Ok(file) => {
            let mut symcache = open(file, "a.so", DEBUG_ID, 4).unwrap();
            expected.split(", ").map(|row| answer(&mut symcache, row)).collect()
        }
    };
    assert_eq!(answers.join(", "), expected);
    assert_equal_to_symbolic("a.so", DEBUG_ID, &text, &[7]);
}

/// What the offset that the row begins with answers, written as the row is.
fn answer(symcache: &mut symcache::Symcache, row: &str) -> String {
    let offset = row.split(' ').next().unwrap_or_default();
    let locations = symcache.look_up(&[u32::from_str_radix(offset, 16).unwrap()]).unwrap();
    let last = locations.of(0).count();
    let rows: Vec<String> = locations
        .of(0)
        .enumerate()
        .map(|(number, (function, file, line))| {
            let start = match number + 1 == last {
                true if row.contains('@') => format!("@{:x}", locations.function_starts[0]),
                _ => String::new(),
            };
            let line = if file.is_empty() { String::new() } else { format!(" {file}:{line}") };
            format!("{function}{start}{line}")
        })
        .collect();
    format!("{offset} {}", if rows.is_empty() { "-".to_owned() } else { rows.join(" < ") })
}
