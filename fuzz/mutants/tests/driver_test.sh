#!/bin/sh
# driver_test.sh HEAPMILL_MUTATE ROOT: names go to a mutant and back, samples are the seed's, errors name the remedy, and
# the report counts as it says.
mutate=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

fail() {
    echo "$1"
    exit 1
}

printf 'int f(int n)\n{\n    return n < 3 && n;\n}\n' >a.c
printf 'int g(int n)\n{\n    return n + 1;\n}\n' >b.c
[ "$("$mutate" list a.c b.c | wc -l)" -eq 8 ] || fail "not 8 mutants"
[ "$("$mutate" apply a.c:3:14:boundary | sed -n 3p)" = "    return n <= 3 && n;" ] || fail "another mutant"
"$mutate" shuffle 5 a.c b.c >one
"$mutate" shuffle 5 a.c b.c >two
"$mutate" shuffle 6 a.c b.c >three
cmp -s one two || fail "equal seeds, different orders"
! cmp -s one three || fail "different seeds, one order"
"$mutate" list a.c b.c | sort >all
sort one | cmp -s - all || fail "shuffling lost mutants"
"$mutate" apply a.c:1:1:boundary 2>said
[ $? -eq 2 ] && grep -q "heapmill-mutate list a.c" said || fail "a mutant that is none: $(cat said)"
"$mutate" list absent.c 2>said
[ $? -eq 3 ] && grep -q absent.c said || fail "a file that is absent: $(cat said)"

command -v jq >/dev/null || { echo "SKIPPED: the report needs jq: apt-get install jq"; exit 77; }
for i in 1 2 3 4 5 6 7 8 9 10; do
    outcome=killed
    [ $i -ne 10 ] || outcome=survived
    echo "{\"mutant\":\"m$i\",\"seed\":1,\"outcome\":\"$outcome\",\"by\":\"p\",\"seconds\":1,\"commit\":\"c\"}"
done >records.jsonl
echo '{"mutant":"x","seed":1,"outcome":"equivalent","by":"","seconds":1,"commit":"c"}' >>records.jsonl
# 9 of 10: Clopper and Pearson (1934), [0.5550, 0.9975].
"$2/scripts/mutants" --report "$dir/records.jsonl" >report || fail "no report"
jq -e '.judged == 11 and .score == 0.9 and .interval_95 == [0.555, 0.9975] and .survivors == ["m10"]' report >/dev/null ||
    fail "another report: $(cat report)"
