#!/bin/sh
# expect_seeds_clean.sh BINARIES CORPUS: no target with a planted bug finds anything in its corpus.
failed=0
for binary in "$1"/heapmill-fuzz-*+*; do
    target=${binary##*/heapmill-fuzz-}
    target=${target%%.*}
    said=$("$binary" "$2/$target" 2>&1) || { echo "${binary##*/}: a seed triggers it: $said" >&2; failed=1; }
done
exit $failed
