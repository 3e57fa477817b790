#!/usr/bin/env bash
# Run every fuzzer of a build made with the preset "fuzz" for some seconds each,
# starting from its corpus.   tools/fuzz.sh BUILD [SECONDS]
set -eu
build=$1
seconds=${2:-60}
root=$(cd "$(dirname "$0")/.." && pwd)
for fuzzer in "$build"/test/fuzz_*; do
    [ -x "$fuzzer" ] || continue
    name=$(basename "$fuzzer")
    corpus=$(mktemp -d)
    printf '%s: %s s\n' "$name" "$seconds"
    "$fuzzer" -max_total_time="$seconds" -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        "$corpus" "$root/test/fuzz/corpus/${name#fuzz_}"
    rm -rf "$corpus"
done
