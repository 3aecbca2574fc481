#!/usr/bin/env bash
# Fuzzes the crate: scripts/fuzz.sh convert|look_up SECONDS [libFuzzer options]. Needs cargo-fuzz and Rust's stable toolchain.
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

# Allows instrumentation with a stable toolchain.
export RUSTC_BOOTSTRAP=1
exec cargo fuzz run --release "$target" -- -seed=1 -max_total_time="$seconds" -max_len=2000 -timeout=20 \
  -rss_limit_mb=2048 -dict=fuzz/sym.dict -print_final_stats=1 "$@"
