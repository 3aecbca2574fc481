//! Converts a sym file, with this crate or with Symbolic, and prints the time and the size.
//!
//! usage: `cargo run --release --example convert -- ours|symbolic FILE.sym DEBUG-ID OUT.symc`

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::time::Instant;

use symbolic_debuginfo::breakpad::BreakpadObject;
use symbolic_symcache::SymCacheConverter;
use symcache::Converter;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [how, path, debug_id, out] = arguments.as_slice() else {
        return Err("usage: convert ours|symbolic FILE.sym DEBUG-ID OUT.symc".into());
    };
    let start = Instant::now();
    let bytes = match how.as_str() {
        "ours" => ours(path, debug_id, out)?,
        "symbolic" => symbolic(path, out)?,
        _ => return Err("the first argument must be ours or symbolic".into()),
    };
    println!("{} ms, {bytes} bytes", start.elapsed().as_millis());
    Ok(())
}

/// Converts chunks of 1 MiB, like the service.
fn ours(path: &str, debug_id: &str, out: &str) -> Result<u64, Box<dyn Error>> {
    let mut converter = Converter::new("libxul.so", debug_id, &[0; 16])?;
    let mut file = File::open(path)?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        converter.push(&chunk[..length])?;
    }
    let symcache = converter.finish()?;
    let mut out = File::create(out)?;
    symcache.write(|piece| out.write_all(piece))?;
    Ok(symcache.size())
}

/// Converts the text at once, like Mozilla's Eliot.
fn symbolic(path: &str, out: &str) -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read(path)?;
    let object = BreakpadObject::parse(&text)?;
    let mut converter = SymCacheConverter::new();
    converter.process_object(&object)?;
    let mut symcache = Vec::new();
    converter.serialize(&mut symcache)?;
    std::fs::write(out, &symcache)?;
    Ok(symcache.len() as u64)
}
