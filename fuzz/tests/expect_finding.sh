#!/bin/sh
# expect_finding.sh ORACLES COMMAND…: the command must end in a finding of one of the oracles (a|b), and save it.
oracles=$1
shift
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$@" --artifacts "$dir" 2>"$dir/said"
status=$?
[ $status -ne 77 ] || { cat "$dir/said"; exit 77; }
[ $status -ne 0 ] || { echo "no finding:"; cat "$dir/said"; exit 1; }
grep -Eq "ORACLE ($oracles):" "$dir/said" || { echo "another finding than $oracles:"; cat "$dir/said"; exit 1; }
ls "$dir"/crash-* >/dev/null || { echo "the input was not saved"; exit 1; }
grep ORACLE "$dir/said"
