//! From sym files to symcache files.

use super::host_buffers::{cleared_buffers, host_buffers};
use super::host_write;
use crate::Converter;

/// A converter for the module whose debug filename and debug id are in the inbox; null for a bad debug id.
#[unsafe(no_mangle)]
pub extern "C" fn converter_new(filename_length: usize, id_length: usize) -> *mut Converter {
    let buffers = cleared_buffers();
    let (debug_filename, debug_id) = buffers.module(filename_length, id_length);
    match Converter::new(&debug_filename, &debug_id) {
        Ok(converter) => Box::into_raw(Box::new(converter)),
        Err(error) => {
            buffers.fail(&error);
            std::ptr::null_mut()
        }
    }
}

/// Converts the next `length` bytes, which are in the inbox. Gives 0, or the reason of a failure.
///
/// # Safety
/// `converter` came from [`converter_new`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn converter_push(converter: *mut Converter, length: usize) -> u32 {
    let buffers = cleared_buffers();
    // SAFETY: the caller's promise.
    let converter = unsafe { &mut *converter };
    match converter.push(&buffers.inbox[..length]) {
        Ok(()) => 0,
        Err(error) => buffers.fail(&error),
    }
}

/// Ends the conversion and frees the converter. Gives 0, and then [`symcache_file_write`] writes the file, or the reason of a
/// failure.
///
/// # Safety
/// As for [`converter_push`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn converter_finish(converter: *mut Converter) -> u32 {
    let buffers = cleared_buffers();
    // SAFETY: the caller's promise.
    let converter = unsafe { Box::from_raw(converter) };
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

/// Appends the finished symcache file to the file that the host knows as `file`. Gives 0, or 1 where the host failed to write.
#[unsafe(no_mangle)]
pub extern "C" fn symcache_file_write(file: u32) -> u32 {
    let Some(symcache_file) = &host_buffers().symcache_file else { return 1 };
    let written = symcache_file.write(|piece| {
        // SAFETY: the host reads the slice and keeps nothing of it.
        let result = unsafe { host_write(file, piece.as_ptr(), piece.len()) };
        if result < 0 { Err(()) } else { Ok(()) }
    });
    u32::from(written.is_err())
}
