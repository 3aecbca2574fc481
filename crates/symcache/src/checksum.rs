//! XXH64: the checksum of pages and trailers.
//!
//! It only needs 64-bit multiplications, which WebAssembly has: verifying a whole symcache takes less time than reading it. It
//! detects corruption, not tampering.

/// The XXH64 of `bytes`. Different seeds give equal bytes different checksums.
///
/// Not inlined: V8 optimizes a WebAssembly function after many calls, not in the middle of a long loop.
#[inline(never)]
pub fn checksum(bytes: &[u8], seed: u64) -> u64 {
    xxhash_rust::xxh64::xxh64(bytes, seed)
}
