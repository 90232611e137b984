#!/bin/sh
# What the leak tracker says of programs that it could harm.
#   leaks.sh TRACKER SMALL RECURSIVE     (lib…leaktrack.so, the program small.c, the library recursive.c)
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect BLOCKS BYTES PRELOADED WORD: the program ends with 0 within 60 s, and so much is lost.
expect() {
    rm -f "$work"/*.leaks
    if ! LD_PRELOAD=$3 HEAPMILL_LEAKTRACK_DIRECTORY=$work timeout 60 "$small" "$4"; then
        echo "FAILED  $4: it did not end well"
        failed=1
        return
    fi
    said=$(cat "$work"/*.leaks | awk -F '\t' '$1 == "site" { blocks += $2; bytes += $3 }
        $1 == "end" { judged = $2 } END { print judged + 0, blocks + 0, bytes + 0 }')
    if [ "$said" = "1 $1 $2" ]; then
        echo "ok      $4"
    else
        echo "FAILED  $4: judged, lost blocks and bytes are $said, not 1 $1 $2"
        failed=1
    fi
}

tracker=$1
small=$2
recursive=$3
expect 0 0 "$tracker" aligned
expect 0 0 "$tracker:$recursive" aligned
expect 80 259000 "$tracker" valloc
expect 80 259000 "$tracker:$recursive" valloc
expect 0 0 "$tracker" reserve
expect 0 0 "$tracker" protected
exit $failed
