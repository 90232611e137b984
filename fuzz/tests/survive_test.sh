#!/bin/bash
# survive_test.sh BUILD: scripts/survive counts what is survived, goes on where it stopped, and keeps a finding.
set -u
build=$1
survive=$(cd "$(dirname "$0")/../.." && pwd)/scripts/survive
command -v jq >/dev/null || { echo "skipped: no jq (apt-get install jq)"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$1"
    cat "$dir"/said "$dir"/*.jsonl
    exit 1
}

run() { # NUMBER PROGRAM…
    "$survive" --build "$build" --blocks "$1" --objects "$1" --chunk 20000 "$dir/run.jsonl" "${@:2}" >"$dir/said" 2>&1
}

run 30000 block_ops.pymalloc-3.10 object_graph.pymalloc-3.10 || fail "a clean run fails"
jq -es 'group_by(.target) | all(map(.operations) | add >= 30000) and length == 2' "$dir/run.jsonl" >/dev/null ||
    fail "fewer operations than asked for"
jq -es 'map(select(.target == "block_ops").seed) | length > 1 and unique == .' "$dir/run.jsonl" >/dev/null ||
    fail "a seed is used twice"
lines=$(wc -l <"$dir/run.jsonl")
run 30000 block_ops.pymalloc-3.10 object_graph.pymalloc-3.10 || fail "nothing left to do is a failure"
[ "$(wc -l <"$dir/run.jsonl")" -eq "$lines" ] || fail "what was done is done again"
run 100000000 block_ops.pymalloc-3.10+class-rounds-down && fail "a planted bug is survived"
jq -es 'map(select(.exit != 0)) | length == 1 and (.[0].log | contains("ORACLE"))' "$dir/run.jsonl" >/dev/null ||
    fail "the finding is not recorded"
ls "$dir"/crash-* >/dev/null || fail "the finding's input is not kept"
