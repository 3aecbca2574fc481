#!/usr/bin/env bash
# Fuzzes the crate: scripts/fuzz.sh convert 30, or look_up, for so many seconds. It needs cargo-fuzz; further words are
# libFuzzer's own options. What it finds ends it, is printed, and lies in crates/symcache/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/../crates/symcache"
target=$1 seconds=$2
shift 2

corpus=fuzz/corpus/$target
mkdir -p "$corpus"
if [ "$target" = convert ]; then
  # Recorded sym files behind the MODULE line of the target: `r` is for raw text.
  for file in ../../test/fixtures/conformance/{,quirks/}symbols/*/*/*.sym.gz; do
    name=$(basename "$file" .sym.gz)
    { printf r; gzip --decompress --stdout "$file" | head --bytes 4000 | tail --lines +2; } > "$corpus/$name.raw" || true
    # Compressed bytes are as good as random ones: ` ` is for lines made of bytes.
    { printf ' '; head --bytes 1200 "$file"; } > "$corpus/$name.lines"
  done
fi

# The sanitizers' instrumentation is for nightly toolchains alone.
export RUSTC_BOOTSTRAP=1
exec cargo fuzz run --release "$target" -- -seed=1 -max_total_time="$seconds" -max_len=4096 -timeout=20 \
  -rss_limit_mb=2048 -dict=fuzz/sym.dict -print_final_stats=1 "$@"
