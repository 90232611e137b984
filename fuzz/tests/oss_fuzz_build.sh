#!/bin/bash
# Runs fuzz/oss-fuzz/build.sh as OSS-Fuzz does, for one target of each kind, and then what it built.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v clang >/dev/null || { echo "skipped: no clang (apt-get install clang)"; exit 77; }
echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n ? 0 : 0; }' |
    clang -x c -fsanitize=fuzzer -o /dev/null - 2>/dev/null ||
    { echo "skipped: clang has no libFuzzer (scripts/install --test)"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export OUT=$work/out WORK=$work/work CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS="-O1 -g -fsanitize=address -fsanitize=fuzzer-no-link"
names="heapmill-fuzz-block_ops.pymalloc-3.10 heapmill-fuzz-result_records"
# shellcheck disable=SC2086
"$root/fuzz/oss-fuzz/build.sh" $names >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
for name in $names; do
    [ -x "$OUT/$name" ] && [ -f "$OUT/${name}_seed_corpus.zip" ] || { echo "$name is not whole in \$OUT"; exit 1; }
    mkdir "$work/$name"
    (cd "$work/$name" && cmake -E tar xf "$OUT/${name}_seed_corpus.zip") || exit 1
    (cd "$work" && "$OUT/$name" -runs=200 "$work/$name") >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
    grep -E "^Done 200 runs" "$work/log"
done
[ -f "$OUT/heapmill-fuzz-result_records.dict" ] || { echo "no dictionary"; exit 1; }
