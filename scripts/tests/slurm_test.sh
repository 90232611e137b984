#!/usr/bin/env bash
# `heapmill bench --engine slurm` on a real Slurm of this machine (scripts/cluster).
#   slurm_test.sh SCRIPTS_DIRECTORY BIN_DIRECTORY [death|kills N|overhead|fuzz]
# death: a node dies in the middle, with its daemon, its step daemons and its tasks; the merged result equals a local run's
# cell for cell. kills N: so many kill -9 of tasks, daemons and the submitting command at random instants, over as many runs
# as that takes; each merged result is complete and nothing is doubled. overhead: what the engine costs cells of one second.
# fuzz: a campaign and a score.
# Exit 77: Slurm, munge or jq is absent.
set -euo pipefail
scripts=$1
PATH=$2:$PATH:/usr/sbin
what=${3:-death}
command -v jq >/dev/null || { echo "SKIPPED: no jq" >&2; exit 77; }
work=$(mktemp -d)
cluster=$work/slurm
finish() {
    local pid
    [ -z "${submitting:-}" ] || kill -9 "$submitting" 2>/dev/null || true
    "$scripts/cluster" stop "$cluster" || true
    for pid in $(tasks); do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
# Tasks of this test: heapmill processes that run in its directory.
tasks() {
    local pid
    for pid in $(pgrep -f "bench --resume $work/" || true); do echo "$pid"; done
}
mkdir "$cluster"
code=0
"$scripts/cluster" start "$cluster" 2 || code=$?
[ $code -eq 0 ] || { rm -rf "$work"; exit $code; }
trap finish EXIT
export SLURM_CONF=$cluster/slurm.conf

fail() { echo "slurm_test: $*" >&2; tail -n 3 "$work"/*/tasks/*.log >&2 || true; exit 1; }

# What a record is of and what it must have in any run; with counts, where instructions were counted.
keys() {
    jq -r '[.pass, .round, .cell, .seed, .status] + (if .pass == "instructions" then [.instructions, .checksum] else [] end) | @tsv' \
        "$1/records.jsonl" | sort
}

metrics=time,memory
command -v valgrind >/dev/null && metrics=time,memory,instructions

matrix() { # ROUNDS TARGET_MS, then further options; replace=exec: in the place of this shell, so that it is what is killed
    ${replace:-} heapmill bench -b malloc,null -w pingpong,batch,churn --one-layout -p pingpong.size=16,64,256 -p batch.order=fifo,random \
        --rounds "$1" --target-ms "$2" "${@:3}"
}
on_cluster() { # DIRECTORY ROUNDS TARGET_MS, then further options
    matrix "$2" "$3" --engine slurm --tasks 4 -o "$1" "${@:4}"
}

# Whatever runs on that node: its daemon, the tasks, and their step daemons, which are their parents. killed: how many tasks.
kill_node() {
    local task
    killed=0
    kill -9 "$(cat "$cluster/$1.pid")" 2>/dev/null || true
    for task in $(tasks); do
        grep -qz "SLURMD_NODENAME=$1" "/proc/$task/environ" 2>/dev/null || continue
        kill -9 "$(ps -o ppid= -p "$task" | tr -d ' ')" "$task" 2>/dev/null || true
        killed=$((killed + 1))
    done
}

test_death() {
    matrix 8 20 --metric "$metrics" -o "$work/local" >/dev/null 2>&1 || fail "the local run failed"
    on_cluster "$work/run" 8 20 --metric "$metrics" >"$work/table" 2>"$work/said" &
    submitting=$!
    for _ in $(seq 200); do
        [ "$(cat "$work"/run/tasks/*/records.jsonl 2>/dev/null | wc -l)" -ge 20 ] && break
        sleep 0.1
    done
    [ "$(cat "$work"/run/tasks/*/records.jsonl 2>/dev/null | wc -l)" -ge 20 ] || fail "nothing runs: $(cat "$work/said")"
    [ -n "$(tasks)" ] || fail "the run was over before the node died"
    kill_node n1
    [ "$killed" -gt 0 ] || fail "node n1 had no task when it died"
    sleep 1
    "$scripts/cluster" node "$cluster" n1
    wait "$submitting" || fail "the run on the cluster failed: $(cat "$work/said")"
    submitting=
    diff <(keys "$work/local") <(keys "$work/run") || fail "the merged result is not the local run's"
    grep -q 'geometric mean' "$work/table" || fail "no table"
    on_cluster "$work/run" 8 20 --metric "$metrics" >/dev/null 2>"$work/said" || fail "the same command again: $(cat "$work/said")"
    diff <(keys "$work/local") <(keys "$work/run") || fail "the same command again changed the result"
    echo "a node died in the middle: $(wc -l <"$work/run/records.jsonl") records, as a local run's, cell for cell"
}

# One victim, by chance.
kill_one() {
    local pid
    case $((RANDOM % 6)) in
        0) pid=$submitting; kill -9 "$pid" 2>/dev/null || true; victim="the submitting command" ;;
        1 | 2) pid=$(tasks | shuf -n 1); [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; victim="a task" ;;
        3) pid=$(pgrep -x slurmstepd | shuf -n 1 || true); [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; victim="a step daemon" ;;
        4) victim=n$((RANDOM % 2)); kill_node "$victim"; sleep 0.2; "$scripts/cluster" node "$cluster" "$victim" || true ;;
        5) kill -9 "$(cat "$cluster/slurmctld.pid")" 2>/dev/null || true; sleep 0.2; "$scripts/cluster" controller "$cluster" || true
            victim="the controller" ;;
    esac
}

test_kills() {
    local kills=0 wanted=$1 run=0 code
    RANDOM=${SEED:-1}
    matrix 20 8 --metric time -o "$work/local" >/dev/null 2>&1 || fail "the local run failed"
    while [ "$kills" -lt "$wanted" ]; do
        run=$((run + 1))
        submitting=
        while true; do
            if [ -z "$submitting" ]; then
                replace=exec on_cluster "$work/run$run" 20 8 --metric time >"$work/table" 2>>"$work/said$run" &
                submitting=$!
            fi
            sleep "$((RANDOM % 3)).$((RANDOM % 10))"
            if ! kill -0 "$submitting" 2>/dev/null; then
                code=0
                wait "$submitting" || code=$?
                submitting=
                [ "$code" -ne 0 ] || break
                [ "$code" -eq 137 ] || fail "run $run ended with $code: $(tail -n 5 "$work/said$run")"
            elif [ "$kills" -lt "$wanted" ]; then
                kill_one
                kills=$((kills + 1))
                echo "kill $kills: $victim"
            fi
        done
        diff <(keys "$work/local") <(keys "$work/run$run") >"$work/diff" || { head "$work/diff"; fail "run $run differs"; }
    done
    echo "$kills kills over $run runs: each result is complete, and nothing is doubled"
}

# Cells of one second, on one node, so that no other task is beside them: what is not a cell's own process.
test_overhead() {
    local wall own
    scontrol update NodeName=n1 State=DOWN Reason=overhead
    SECONDS=0
    heapmill bench -b malloc,null -w pingpong,batch --one-layout --rounds "${ROUNDS:-20}" --target-ms 1000 --metric time \
        --engine slurm --tasks 1 -o "$work/run" >/dev/null 2>"$work/said" || fail "$(cat "$work/said")"
    wall=$SECONDS
    own=$(jq -s 'map(.process.wall_ns) | add / 1e9' "$work/run/records.jsonl")
    awk -v wall="$wall" -v own="$own" 'BEGIN { printf "cells took %.1f s, the whole run %d s: overhead %.2f%%\n", own, wall, (wall / own - 1) * 100 }'
}

# A campaign and a score on the toy target of cli/tests, whose defects are found in a moment.
test_fuzz() {
    local code=0 trees
    trees=$(dirname "$(command -v heapmill)")/../tests/fuzz-trees
    export HEAPMILL_FUZZ_TREES=$trees
    [ -x "$trees/fuzz-libfuzzer/bin/heapmill-fuzz-toy+defects" ] || { echo "SKIPPED: no toy target for libFuzzer" >&2; exit 77; }
    heapmill fuzz run toy --bug defects --engine libfuzzer --jobs 2 --time 6s --engine-host slurm -o "$work/run" \
        >"$work/told" 2>"$work/said" || code=$?
    [ $code -eq 1 ] || fail "the campaign ended with $code: $(cat "$work/said")"
    [ "$(jq -r 'select(.event == "finding").file' "$work/run/events.jsonl" | sort | uniq -d | wc -l)" -eq 0 ] || fail "a finding is told twice"
    [ "$(jq -r 'select(.event == "finding").file' "$work/run/events.jsonl" | wc -l)" -gt 0 ] || fail "no finding is told"
    [ "$(jq -r 'select(.event == "sample").task' "$work/run/events.jsonl" | sort -u | wc -l)" -eq 2 ] || fail "not both engines ran"
    code=0
    heapmill fuzz score --bugs defects --engines libfuzzer --trials 4 --time 5s --jobs 2 --engine-host slurm -o "$work/score" \
        >"$work/told" 2>"$work/said" || code=$?
    [ $code -le 1 ] || fail "the score ended with $code: $(cat "$work/said")"
    # Each engine (blind random is always there): four trials with the bug, one control.
    jq -r '[.program, .engine, .trial] | @tsv' "$work/score/trials.jsonl" | sort >"$work/trials"
    [ -z "$(uniq -d "$work/trials")" ] || fail "a trial is doubled"
    [ "$(wc -l <"$work/trials")" -eq 10 ] || fail "$(wc -l <"$work/trials") trials, not 10"
    echo "a campaign of two engines and a score of ten trials ran as tasks"
}

case $what in
    fuzz) test_fuzz ;;
    death) test_death ;;
    kills) test_kills "${4:-50}" ;;
    overhead) test_overhead ;;
    *) echo "slurm_test: unknown '$what'" >&2; exit 2 ;;
esac
