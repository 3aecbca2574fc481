//! Packs and unpacks chunks of symcache files.

use super::host_buffers::{cleared_buffers, host_buffers};
use crate::chunk::{Layout, append_checksums, pack, unpack};

/// Packs the chunk at position `at` of its file. The inbox has the first `header` bytes of the file, then the chunk's `length`
/// bytes. Returns the packed length; the bytes are at [`output_at`].
#[unsafe(no_mangle)]
pub extern "C" fn chunk_pack(at: f64, header: usize, length: usize) -> usize {
    let buffers = cleared_buffers();
    let (header, rest) = buffers.inbox.split_at(header);
    buffers.output.clear();
    pack(&Layout::of(header), at as u64, &rest[..length], &mut buffers.output);
    buffers.output.len()
}

/// Unpacks a chunk of `length` bytes. The inbox has the first `header` bytes of the file, then the `packed` bytes. Returns the
/// length of the output at [`output_at`], the chunk and then the checksums of its pages; 0 if it is damaged.
#[unsafe(no_mangle)]
pub extern "C" fn chunk_unpack(at: f64, header: usize, packed: usize, length: usize) -> usize {
    let buffers = cleared_buffers();
    let (header, rest) = buffers.inbox.split_at(header);
    let layout = Layout::of(header);
    let mut chunk = std::mem::take(&mut buffers.output);
    chunk.resize(length, 0);
    let unpacked = unpack(&layout, at as u64, &rest[..packed], &mut chunk);
    if unpacked.is_ok() {
        let mut checksums = Vec::new();
        append_checksums(&layout, at as u64, &chunk, &mut checksums);
        chunk.extend(checksums);
    }
    buffers.output = chunk;
    match unpacked {
        Ok(()) => buffers.output.len(),
        Err(damaged) => {
            buffers.set_message(damaged);
            0
        }
    }
}

/// The last packed or unpacked chunk, or the last description of a symcache.
#[unsafe(no_mangle)]
pub extern "C" fn output_at() -> *const u8 {
    host_buffers().output.as_ptr()
}
