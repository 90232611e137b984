#!/bin/sh
# planted_test.sh WORKER: every planted kind is found by `ledger` or `growth`, whose counts must be the truth's, and no
# clean twin is suspected by any detector.
set -eu
worker=$1
failures=0

fail() {
    echo "$*" >&2
    failures=$((failures + 1))
}

ask() { # ask KIND DETECTOR [--clean]
    program=$worker
    [ "$2" != ledger ] || program=$worker.ledger
    kind=$1 detector=$2
    shift 2
    # A sanitized build must not report the planted leaks itself.
    ASAN_OPTIONS=detect_leaks=0 "$program" --kind "$kind" --detector "$detector" --rate 0.1 --number 150 --seed 7 "$@" |
        tail -n 1
}

found() { # the number that all reports' counts add up to
    # shellcheck disable=SC2046
    echo $(($(printf '%s' "$1" | sed 's/.*"answer"//' | grep -o '"count": *[0-9]*' | sed 's/.*: *//' | tr '\n' '+') 0))
}

truth() {
    objects=$(printf '%s' "$1" | sed 's/.*"objects": *\([0-9]*\).*/\1/')
    blocks=$(printf '%s' "$1" | sed 's/.*"blocks": *\([0-9]*\).*/\1/')
    echo $((objects + blocks))
}

for kind in $("$worker" --list | cut -f 1); do
    for detector in ledger collector growth; do
        said=$(ask "$kind" "$detector" --clean)
        [ "$(found "$said")" -eq 0 ] || fail "$detector suspects the clean twin of $kind: $said"
    done
done
for kind in $("$worker" --list | awk -F '\t' '$2 == "planted" { print $1 }'); do
    said=$(ask "$kind" ledger)
    [ "$(truth "$said")" -gt 0 ] || fail "$kind plants nothing: $said"
    if [ "$kind" = growing_cache ]; then
        [ "$(found "$said")" -eq 0 ] || fail "ledger suspects a reachable cache: $said"
    else
        [ "$(found "$said")" -eq "$(truth "$said")" ] || fail "ledger miscounts $kind: $said"
        site=$(printf '%s' "$said" | sed 's/.*"sites": *\["\([^"]*\)".*/\1/')
        printf '%s' "$said" | sed 's/.*"answer"//' | grep -q "\"$site\"" || fail "ledger misses $site: $said"
    fi
    said=$(ask "$kind" growth)
    # Of nine steps alike six count.
    [ $((3 * $(found "$said"))) -eq $((2 * $(truth "$said"))) ] || fail "growth miscounts $kind: $said"
    said=$(ask "$kind" collector)
    if [ "$kind" = cycle_collector_off ]; then
        [ "$(found "$said")" -eq "$(truth "$said")" ] || fail "collector miscounts $kind: $said"
    fi
done
[ "$failures" -eq 0 ]
