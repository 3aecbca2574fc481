//! From sym files to symcache files.

use super::host_buffers::{cleared_buffers, host_buffers};
use super::host_write;
use crate::Converter;

/// A converter for the module whose debug filename and debug id are in the inbox, and then 16 random bytes; null for a bad debug
/// id.
#[unsafe(no_mangle)]
pub extern "C" fn converter_new(filename_length: usize, id_length: usize) -> Option<Box<Converter>> {
    let buffers = cleared_buffers();
    let (debug_filename, debug_id) = buffers.module(filename_length, id_length);
    let key = buffers.inbox[filename_length + id_length..].first_chunk().expect("16 random bytes");
    match Converter::new(&debug_filename, &debug_id, key) {
        Ok(converter) => Some(Box::new(converter)),
        Err(error) => {
            buffers.fail(&error);
            None
        }
    }
}

/// Converts the next `length` bytes, which are in the inbox. Returns 0, or the reason of a failure.
#[unsafe(no_mangle)]
pub extern "C" fn converter_push(converter: &mut Converter, length: usize) -> u32 {
    let buffers = cleared_buffers();
    match converter.push(&buffers.inbox[..length]) {
        Ok(()) => 0,
        Err(error) => buffers.fail(&error),
    }
}

/// Ends the conversion and frees the converter. Returns 0 if [`symcache_file_write`] can write the file, or the reason of a
/// failure.
#[unsafe(no_mangle)]
pub extern "C" fn converter_finish(converter: Box<Converter>) -> u32 {
    let buffers = cleared_buffers();
    match converter.finish() {
        Ok(file) => {
            buffers.symcache_file = Some(file);
            0
        }
        Err(error) => buffers.fail(&error),
    }
}

/// The size in bytes of the finished symcache file.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_file_size() -> f64 {
    host_buffers().symcache_file.as_ref().map_or(0.0, |file| file.size() as f64)
}

/// Appends the finished symcache file to the file that the host knows as `file`. Returns 0, or 1 if the host failed to write.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_file_write(file: u32) -> u32 {
    let Some(symcache_file) = &host_buffers().symcache_file else { return 1 };
    let written = symcache_file.write(|piece| {
        // SAFETY: the host only reads the slice during the call.
        let result = unsafe { host_write(file, piece.as_ptr(), piece.len()) };
        if result < 0 { Err(()) } else { Ok(()) }
    });
    u32::from(written.is_err())
}
