#!/usr/bin/env bash
# Fuzzes the crate: scripts/fuzz.sh convert|look_up SECONDS [libFuzzer options]. Needs Rust's stable toolchain.
# Stops at the first failure, prints its input as text, and keeps it in crates/symcache/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/../crates/symcache"
target=$1 seconds=$2
shift 2

corpus=fuzz/corpus/$target
mkdir -p "$corpus"
if [ "$target" = convert ]; then
  for file in ../../test/fixtures/conformance/{,quirks/}symbols/*/*/*.sym.gz; do
    name=$(basename "$file" .sym.gz)
    # The prefix ` ` marks lines to be generated from the bytes; compressed bytes are as good as random ones.
    { printf ' ' && head --bytes 1200 "$file"; } > "$corpus/$name.lines"
    case $file in
      # The prefix `r` marks raw text, which the target puts after a MODULE line.
      */quirks/*) { printf r && gzip --decompress --stdout "$file" | tail --lines +2; } > "$corpus/$name.raw" ;;
    esac
  done
fi

# The flags that cargo-fuzz sets, without AddressSanitizer: natively, the crate has two small unsafe blocks (strings.rs, raw.rs).
triple=$(rustc --print host-tuple)
export RUSTFLAGS="--cfg fuzzing -C passes=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares stack-depth; do
  RUSTFLAGS+=" -C llvm-args=-sanitizer-coverage-$option"
done
# With --target, build scripts and procedural macros are not instrumented.
cargo build --manifest-path fuzz/Cargo.toml --locked --release --target "$triple" --bin "$target"
binary=fuzz/target/$triple/release/$target

artifact=fuzz/artifacts/$target
mkdir -p fuzz/artifacts
rm -f "$artifact"
"$binary" "$corpus" -exact_artifact_path="$artifact" -seed=1 -max_total_time="$seconds" -max_len=2000 -timeout=20 \
  -rss_limit_mb=2048 -dict=fuzz/sym.dict -print_final_stats=1 "$@" && exit
status=$?
# With this variable the binary only prints its input.
[ -e "$artifact" ] && RUST_LIBFUZZER_DEBUG_PATH=/dev/stdout "$binary" "$artifact" 2> /dev/null
exit "$status"
