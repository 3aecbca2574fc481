#!/bin/sh
# Builds crates/symcache to WebAssembly and writes the binary and its receipt.
# usage: scripts/build-wasm.sh [OUT=src/symcache/symcache.wasm]
#
# The committed binary is built with Debian 12's pinned toolchain:
#   apt-get install rustc-web cargo-web rust-web-src lld-19 clang-19 llvm-19
# Without them, `rustup target add wasm32-unknown-unknown` is enough to build an equivalent binary.
set -eu

cd "$(dirname "$0")/.."
repository=$PWD
PATH=$repository/node_modules/.bin:$PATH
out=$(realpath -m "${1:-src/symcache/symcache.wasm}")
target=wasm32-unknown-unknown
crate=crates/symcache

# The binary must not depend on the machine. Cargo passes the crate's own paths relative to the crate.
flags="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
# The host provides the memory (src/symcache/wasmInstance.ts): at least 2 MiB, at most 4 GiB.
flags="$flags -C target-feature=+simd128 -C link-arg=--import-memory"
flags="$flags -C link-arg=--initial-memory=2097152 -C link-arg=--max-memory=4294967296"

if [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ] && command -v wasm-ld-19 clang-19 llvm-ar-19 > /dev/null; then
  cargo=/usr/bin/cargo
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
  export CC_wasm32_unknown_unknown=clang-19 AR_wasm32_unknown_unknown=llvm-ar-19
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
  set -- -Z build-std=std,panic_abort
  tools="$RUSTC $cargo wasm-ld-19 clang-19"
else
  set --
  cargo=cargo
  tools="rustc cargo"
fi

CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags --remap-path-prefix=$(${RUSTC:-rustc} --print sysroot)=rust" \
  "$cargo" build --manifest-path "$crate/Cargo.toml" --locked --release --lib --target "$target" "$@"

cp "$crate/target/$target/release/symcache.wasm" "$out"
for tool in $tools; do "$tool" --version | head -n 1; done | node scripts/wasm-receipt.ts "$out"
echo "$out: $(wc -c < "$out") bytes"
