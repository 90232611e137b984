#!/bin/sh
# planting_lsan.sh PROGRAM: LeakSanitizer finds as many leaks in an annotated pool as leak_planting.c says that it has
# planted. By shadow (annotate.h) all of them; by roots only those of large blocks, which are malloc's.
program=$1
failed=0
for kind in lost cycle stale large held header churn; do
    said=$(ASAN_OPTIONS=detect_leaks=1:symbolize=0 "$program" "$kind" 1 2>&1)
    planted=$(echo "$said" | sed -n 's/.*"lost_blocks": \([0-9]*\),.*/\1/p')
    found=$(echo "$said" | sed -n 's/.* leaked in \([0-9]*\) allocation(s).*/\1/p')
    case "$program $kind" in
    *-roots\ large | *-shadow\ *) expected=$planted ;;
    *) expected=0 ;;
    esac
    if [ -z "$planted" ] || [ "${found:-0}" -ne "$expected" ]; then
        echo "$kind: ${found:-0} leaks found, $expected expected: $said"
        failed=1
    fi
done
exit $failed
