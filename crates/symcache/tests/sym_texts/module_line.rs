//! MODULE lines.

use super::{Choices, DEBUG_ID};

/// The first line, which is rarely another module's or invalid.
pub(super) fn module_line(choices: &mut Choices) -> Vec<u8> {
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
