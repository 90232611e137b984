#!/usr/bin/env bash
# Each worker is an ordinary google-benchmark program: its JSON, and that of `heapmill export`, feed google-benchmark's own
# compare.py.
#   google_benchmark.sh BIN RUN-DIRECTORY
# 77: compare.py (Debian: libbenchmark-tools) or its scipy (python3-scipy) is absent.
set -euo pipefail
bin=$1 recorded=$2
python=/usr/bin/python3 # Debian's, which has Debian's scipy
compare=/usr/share/benchmark/compare.py
if [ ! -f $compare ] || ! $python -c 'import scipy' 2>/dev/null; then
    echo "SKIPPED: no $compare or no scipy (apt-get install libbenchmark-tools python3-scipy)" >&2
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "google_benchmark.sh: $1" >&2
    cat "$work/table" >&2
    exit 1
}

# The column CPU of the row: (new - old) / old.
difference() {
    awk -v row="$1" '$1 == row { print $3; exit }' "$work/table"
}

for name in malloc null; do
    "$bin/heapmill-run-$name" --benchmark_filter='^pingpong/' --benchmark_repetitions=3 --benchmark_min_time=0.005 \
        --benchmark_out="$work/$name.json" --benchmark_out_format=json >"$work/table" 2>&1 || fail "the worker of $name failed"
done
$python $compare --no-color benchmarks "$work/malloc.json" "$work/null.json" >"$work/table" 2>&1 || fail "compare.py failed"
# null does no bookkeeping at all: if it is not the faster one, the figures are not of these two programs.
awk -v d="$(difference pingpong/process_time_median)" 'BEGIN { exit !(d != "" && d < -0.1) }' ||
    fail "null is not faster than malloc"

"$bin/heapmill" export "$recorded" --benchmark-json >"$work/export.json"
$python $compare --no-color benchmarks "$work/export.json" "$work/export.json" >"$work/table" 2>&1 ||
    fail "compare.py does not read what heapmill export wrote"
awk -v d="$(difference OVERALL_GEOMEAN)" 'BEGIN { exit !(d == 0 && d != "") }' || fail "a run differs from itself"
