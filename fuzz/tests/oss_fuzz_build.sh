#!/bin/bash
# Runs fuzz/oss-fuzz/build.sh as OSS-Fuzz does, for all targets, and then plays each one's corpus, as OSS-Fuzz's own check of a
# build does: from $OUT alone, with the libraries that lie in it.
#   oss_fuzz_build.sh [TARGET…]     default: all
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v clang >/dev/null || { echo "skipped: no clang (apt-get install clang)"; exit 77; }
echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n ? 0 : 0; }' |
    clang -x c -fsanitize=fuzzer -o /dev/null - 2>/dev/null ||
    { echo "skipped: clang has no libFuzzer (scripts/install --test)"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export OUT=$work/out WORK=$work/work CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS="-O1 -g1 -fsanitize=address -fsanitize=fuzzer-no-link"
"$root/fuzz/oss-fuzz/build.sh" "$@" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
rm -rf "$WORK" # a binary that needs it would not run elsewhere
bad=0
count=0
for binary in "$OUT"/heapmill-fuzz-*; do
    name=${binary##*/}
    case $name in *.zip | *.dict) continue ;; esac
    count=$((count + 1))
    [ -f "$OUT/${name}_seed_corpus.zip" ] || { echo "$name has no seed corpus"; bad=1; continue; }
    mkdir "$work/$name"
    (cd "$work/$name" && cmake -E tar xf "$OUT/${name}_seed_corpus.zip") || exit 1
    if ! (cd "$work" && "$binary" -runs=50 "$work/$name") >"$work/log" 2>&1 || ! grep -qE '^Done [0-9]+ runs' "$work/log"; then
        echo "$name:"
        tail -n 10 "$work/log"
        bad=1
    fi
    # The other image has the loader's own libraries and none of ours.
    ldd "$binary" | awk -v own="$OUT/lib/" '$3 ~ "^/" && index($3, own) != 1 { print $1 }' |
        grep -vE '^(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc[+][+])[.]so' >"$work/foreign" &&
        { echo "$name takes from this system: $(xargs <"$work/foreign")"; bad=1; }
    target=${name#heapmill-fuzz-}
    target=${target%%.*}
    [ ! -f "$root/fuzz/dictionaries/$target.dict" ] || [ -f "$OUT/$name.dict" ] || { echo "$name has no dictionary"; bad=1; }
done
[ "$count" -gt 0 ] || { echo "nothing was built"; exit 1; }
echo "$count targets were built and play their corpora"
exit $bad
