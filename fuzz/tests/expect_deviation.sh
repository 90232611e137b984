#!/bin/sh
# expect_deviation.sh KEYS COMMAND…: the command, as a member of a campaign, must record a deviation whose key begins as
# KEYS says (a|b), keep its input, and get by the shallow one on the way. It is ended once it has.
keys=$1
shift
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/findings"
HEAPMILL_FUZZ_DEVIATIONS=$dir/table HEAPMILL_FUZZ_FINDINGS=$dir/findings "$@" 2>"$dir/said" &
child=$!
tries=0
until grep -Eq "DEVIATION [a-z]+ ($keys)" "$dir/said"; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ] || ! kill -0 $child 2>/dev/null; then
        break
    fi
    sleep 0.1
done
kill $child 2>/dev/null
wait $child 2>/dev/null
status=$?
[ $status -ne 77 ] || { cat "$dir/said"; exit 77; }
grep -E "DEVIATION [a-z]+ ($keys)" "$dir/said" || { echo "no deviation of $keys:"; cat "$dir/said"; exit 1; }
ls "$dir/findings" | tr . : | grep -Eq "^($keys)" || { echo "its input was not kept"; ls "$dir/findings"; exit 1; }
