//! How JavaScript calls the crate: numbers and spans of memory, nothing generated.
//!
//! The host writes what goes in (a chunk, names, offsets) to the inbox that `inbox` makes room in, and calls. Converters
//! and symcaches are known by their address. A call that can fail gives 0 or a reason; `message_at` and
//! `message_length` then say more. Spans that a call leaves are good until the next call.
//!
//! A panic traps. Its message is read the same way, and the instance is of no more use then.
//!
//! The host lends two functions for the files that it knows by number. `read_at` fills `length` bytes at `into` with those at
//! `offset` of a file, and gives the number of bytes read, or less than 0 for a failure. `write` appends the `length` bytes at
//! `from` to a file, and gives less than 0 for a failure.

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
