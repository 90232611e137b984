#!/bin/sh
# What every member of the malloc family answers with LIBRARY preloaded is what it answers under glibc.
#   family.sh PROGRAM LIBRARY
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" >"$work/glibc" 2>/dev/null
HEAPMILL_EXPECT_MALLOC=$(basename "$2") LD_PRELOAD=$2 "$1" >"$work/preloaded" 2>"$work/errors" ||
    { cat "$work/errors"; exit 1; }
diff "$work/glibc" "$work/preloaded" | head -n 40 >"$work/differences"
cat "$work/differences"
[ ! -s "$work/differences" ] && echo "$(wc -l <"$work/glibc") answers, all the same"
