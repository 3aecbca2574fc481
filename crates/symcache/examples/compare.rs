//! Converts a sym file with this crate and with Symbolic, and compares the results at both ends of every range.
//!
//! usage: `cargo run --release --example compare -- FILE.sym DEBUG-ID`

#[path = "../tests/oracle/mod.rs"]
mod oracle;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, debug_id] = arguments.as_slice() else { return Err("usage: compare FILE.sym DEBUG-ID".into()) };
    oracle::assert_equal_to_symbolic("compared", debug_id, &std::fs::read(path)?, &[1 << 20]);
    println!("equal at both ends of every range");
    Ok(())
}
