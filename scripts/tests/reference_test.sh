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
make() { scripts/reference --from "$run" --calibration "$work/calibration" --bin "$2" --into "$1" --no-plots; }
mkdir -p "$work/calibration" "$work/results/recorded"
printf 'SLOWDOWN\nfalse positives: 1.0%% of 9\npower: a slowdown of 5%% is found\n' >"$work/calibration/summary.txt"
printf '| directory | command | host |\n| --- | --- | --- |\n| `old` | c | h |\n' >"$work/results/recorded/README.md"

printf 'before\n%s\nold\n%s\nafter\n' '<!-- reference: written by scripts/reference -->' '<!-- /reference -->' >"$work/README.md"
make "$work" "$2"
grep -qx before "$work/README.md" && grep -qx after "$work/README.md" || fail "what is around the table is gone"
! grep -qx old "$work/README.md" || fail "the old table is there still"
"$2" compare "$run" --json >"$work/json"
means=$(grep -c '"families"' "$work/json")
rows=$(grep -c '^| [a-z].* | .*\[' "$work/README.md")
[ "$means" -gt 5 ] && [ "$rows" -eq "$means" ] || fail "$rows rows of $means means"
grep -q '^- resolution: this run finds a slowdown of' "$work/README.md" || fail "it does not say what the run resolves"
grep -qF -e '- calibrated (`calibration`): power: a slowdown of 5% is found' "$work/README.md" || fail "it does not say what was calibrated"
[ "$(sed -n 3p "$work/results/recorded/README.md" | cut -c1-22)" = '| `quick-2026-11-22` |' ] || fail "there is no row of the run"
cp "$work/README.md" "$work/first"
cp "$work/results/recorded/README.md" "$work/rows"
make "$work" "$2"
cmp -s "$work/first" "$work/README.md" && cmp -s "$work/rows" "$work/results/recorded/README.md" || fail "a second time changes it"
# Pictures are drawn where they are kept, with the command that repeats them; what was not there does not come.
mkdir -p "$work/plots/gallery"
touch "$work/plots/gallery/heatmap."{tsv,gp,png} "$work/plots/gallery/other.png"
scripts/reference --from "$run" --no-calibration --bin "$2" --into "$work"
[ "$(ls "$work/plots/gallery" | tr '\n' ' ')" = 'heatmap.gp heatmap.png heatmap.tsv other.png ' ] || fail "the gallery has $(ls "$work/plots/gallery")"
[ -s "$work/plots/gallery/heatmap.png" ] && grep -q "^# drawn by: heapmill plot $run -o $work/plots/gallery " "$work/plots/gallery/heatmap.tsv" || fail "the heat map was not drawn"
echo plain >"$work/README.md"
! make "$work" "$2" 2>"$work/said" || fail "a README without marks was taken"
grep -q 'lacks the lines' "$work/said" && grep -qx plain "$work/README.md" || fail "it did not say what is lacking"
