//! Edits lines of a sym file without knowledge of records.

use super::Choices;
use super::samples::ODD_LINES;

/// Replacements of numbers.
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "4",
    "10",
    "ffffffff",
    "4294967296",
    "100000000",
    "ffffffffffffffff",
    "18446744073709551615",
    "-1",
    "00000000000000000000001",
    "x",
];

const BYTES: [u8; 14] = *b" \t\r\n\0\x0b\xff\xc2\xa0m0Ff-";

/// Makes one edit.
pub fn edit(lines: &mut Vec<Vec<u8>>, choices: &mut Choices, others: &[Vec<u8>]) {
    if lines.is_empty() {
        return;
    }
    let kind = choices.weighted(&[(3, 0), (3, 1), (3, 2), (3, 3), (4, 4), (3, 5), (2, 6), (2, 7), (1, 8)]);
    let at = choices.below(lines.len());
    match kind {
        0 => drop(lines.remove(at)),
        1 => {
            let line = lines[at].clone();
            lines.insert(choices.below(lines.len() + 1), line);
        }
        2 => {
            let with = choices.below(lines.len());
            lines.swap(at, with);
        }
        3 if !others.is_empty() => lines.insert(at, others[choices.below(others.len())].clone()),
        3 | 8 => lines.insert(at, choices.of(&ODD_LINES).to_vec()),
        4 => change_number(&mut lines[at], choices),
        5 => {
            let length = choices.below(lines[at].len() + 1);
            lines[at].truncate(length);
        }
        6 => {
            let (place, byte) = (choices.below(lines[at].len() + 1), choices.of(&BYTES));
            lines[at].insert(place, byte);
        }
        _ => {
            if !lines[at].is_empty() {
                let place = choices.below(lines[at].len());
                lines[at].remove(place);
            }
        }
    }
}

/// Replaces one word that is a hexadecimal number; decimal numbers also are.
fn change_number(line: &mut Vec<u8>, choices: &mut Choices) {
    let mut words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let numbers: Vec<(usize, u64)> = words
        .iter()
        .enumerate()
        .filter_map(|(at, word)| Some((at, u64::from_str_radix(str::from_utf8(word).ok()?, 16).ok()?)))
        .collect();
    if numbers.is_empty() {
        return;
    }
    let (at, number) = numbers[choices.below(numbers.len())];
    let nearby = format!("{:x}", number.wrapping_add(choices.below(17) as u64).wrapping_sub(8));
    words[at] = if choices.once_in(2) { choices.of(&NUMBERS).as_bytes() } else { nearby.as_bytes() };
    *line = words.join(&b' ');
}
