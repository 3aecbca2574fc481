//! The interface for JavaScript: plain integers and spans of memory, without generated bindings.
//!
//! The host writes the input (a chunk, names, offsets) to the inbox that `inbox` allocates, and calls a function. Converters
//! and symcaches are identified by their addresses. A call that can fail returns 0 or a reason; then `message_at` and
//! `message_length` locate the message. The spans that a call returns are valid until the next call. The host must pass addresses
//! that were returned and not freed.
//!
//! A panic traps, and its message is read the same way. So does an allocation that the memory has no space for, which
//! `refused_bytes` tells. The instance can't be used any more.
//!
//! The host provides the memory, whose maximum limits an instance.
//!
//! The host provides two functions for files, which it identifies by ids. `read_at` fills `length` bytes at `into` with those at
//! `offset` of a file, and returns the number of bytes read, negative for a failure. `write` appends the `length` bytes at
//! `from` to a file, and returns a negative number for a failure.

mod allocator;
mod chunks;
mod converting;
mod host_buffers;
mod looking_up;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    #[link_name = "read_at"]
    fn host_read_at(file: u32, offset: f64, into: *mut u8, length: usize) -> i32;
    #[link_name = "write"]
    fn host_write(file: u32, from: *const u8, length: usize) -> i32;
}
