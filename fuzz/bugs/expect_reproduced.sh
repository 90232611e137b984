#!/bin/sh
# expect_reproduced.sh ID PATCHED CLEAN REPRODUCER: the patched target must end in a finding after the planted bug was
# triggered, the clean one must survive the same input.
id=$1 patched=$2 clean=$3 input=$4
said=$("$patched" "$input" 2>&1) && { echo "$id: the reproducer finds nothing"; exit 1; }
echo "$said" | grep -q "BUG $id triggered" || { echo "$id: a finding without the bug triggered: $said"; exit 1; }
"$clean" "$input" || { echo "$id: the clean target fails on the reproducer too"; exit 1; }
echo "$said" | grep ORACLE || true
