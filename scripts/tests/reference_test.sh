#!/usr/bin/env bash
# scripts/reference on a recorded run: README's table has what compare says, a second time changes nothing, and a README
# without its marks is left alone.
#   reference_test.sh SOURCE_DIRECTORY HEAPMILL
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$1"
run=results/recorded/quick-2026-11-22
fail() { echo "reference_test: $*" >&2; exit 1; }
make() { scripts/reference --from "$run" --bin "$2" --into "$1" --no-plots; }

printf 'before\n%s\nold\n%s\nafter\n' '<!-- reference: written by scripts/reference -->' '<!-- /reference -->' >"$work/README.md"
make "$work" "$2"
grep -qx before "$work/README.md" && grep -qx after "$work/README.md" || fail "what is around the table is gone"
! grep -qx old "$work/README.md" || fail "the old table is there still"
"$2" compare "$run" --json >"$work/json"
means=$(grep -c '"families"' "$work/json")
rows=$(grep -c '^| [a-z].* | .*\[' "$work/README.md")
[ "$means" -gt 5 ] && [ "$rows" -eq "$means" ] || fail "$rows rows of $means means"
grep -q '^- resolution: this run finds a slowdown of' "$work/README.md" || fail "it does not say what the run resolves"
cp "$work/README.md" "$work/first"
make "$work" "$2"
cmp -s "$work/first" "$work/README.md" || fail "a second time changes it"
echo plain >"$work/README.md"
! make "$work" "$2" 2>"$work/said" || fail "a README without marks was taken"
grep -q 'lacks the lines' "$work/said" && grep -qx plain "$work/README.md" || fail "it did not say what is lacking"
