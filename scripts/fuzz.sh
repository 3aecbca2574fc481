#!/usr/bin/env bash
# Fuzzes the crate: scripts/fuzz.sh convert 30, or look_up, for so many seconds. It needs cargo-fuzz and Rust's stable
# toolchain; further words are libFuzzer's own options. What it finds ends it, is printed as text, and stays in
# crates/symcache/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/../crates/symcache"
target=$1 seconds=$2
shift 2

corpus=fuzz/corpus/$target
mkdir -p "$corpus"
if [ "$target" = convert ]; then
  for file in ../../test/fixtures/conformance/{,quirks/}symbols/*/*/*.sym.gz; do
    name=$(basename "$file" .sym.gz)
    # ` ` is for lines made of bytes; compressed ones are as good as random.
    { printf ' ' && head --bytes 1200 "$file"; } > "$corpus/$name.lines"
    case $file in
      # `r` is for raw text, which the target puts behind a MODULE line.
      */quirks/*) { printf r && gzip --decompress --stdout "$file" | tail --lines +2; } > "$corpus/$name.raw" ;;
    esac
  done
fi

# Instrumentation is for nightly toolchains alone, unless this is set.
export RUSTC_BOOTSTRAP=1
exec cargo fuzz run --release "$target" -- -seed=1 -max_total_time="$seconds" -max_len=2000 -timeout=20 \
  -rss_limit_mb=2048 -dict=fuzz/sym.dict -print_final_stats=1 "$@"
