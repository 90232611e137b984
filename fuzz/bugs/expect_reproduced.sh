#!/bin/sh
# expect_reproduced.sh ID PATCHED CLEAN REPRODUCER: the patched target must end in a finding after the planted bug was
# triggered, the clean one must survive the same input.
id=$1 patched=$2 clean=$3 input=$4
said=$("$patched" "$input" 2>&1) && { echo "$id: the reproducer finds nothing"; exit 1; }
echo "$said" | grep -q "BUG $id triggered" || { echo "$id: a finding without the bug triggered: $said"; exit 1; }
# Asked after each operation, the oracles see it no later. Not in long programs, where that takes its time; nor of what
# crashes by itself.
at() { sed -n 's/^heapmill-fuzz: ORACLE .*(operation \([0-9]*\))$/\1/p' | head -n 1; }
late=$(echo "$said" | at)
if [ "${late:-1000}" -lt 1000 ]; then
    soon=$(HEAPMILL_FUZZ_CAREFUL=1 "$patched" "$input" 2>&1 | at)
    [ "${soon:-1000}" -le "$late" ] ||
        { echo "$id: seen at operation $late, and at ${soon:-none} when every state is asked after each"; exit 1; }
fi
"$clean" "$input" || { echo "$id: the clean target fails on the reproducer too"; exit 1; }
echo "$said" | grep ORACLE || true
