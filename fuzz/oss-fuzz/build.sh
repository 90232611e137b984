#!/bin/bash -eu
# Builds every fuzz target the way that OSS-Fuzz and ClusterFuzzLite ask for it: compiler and flags from $CC and
# $CFLAGS, the engine from $LIB_FUZZING_ENGINE, and into $OUT the binaries, NAME_seed_corpus.zip and NAME.dict.
# $SRC/heapmill is the source, unless the script lies in it. Extra arguments name targets (default: all).
here=$(cd "$(dirname "$0")" && pwd)
source=$here/../..
[ -f "$source/fuzz/CMakeLists.txt" ] || source=$SRC/heapmill
work=${WORK:-$source/build}/oss-fuzz
mkdir -p "$work" "$OUT/lib"

# Binaries run in another image, which has libc and nothing that was installed in this one: libraries go with them.
cmake -S "$source" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="$CC" \
    ${CXX:+-DCMAKE_CXX_COMPILER="$CXX"} -DCMAKE_C_FLAGS="$CFLAGS" -DHEAPMILL_FUZZ_ENGINE=external \
    -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH='$ORIGIN/lib' \
    -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags \
    -DHEAPMILL_FUZZ_LIBRARY="$LIB_FUZZING_ENGINE" >/dev/null
ninja -C "$work" "${@:-fuzz}"

for binary in "$work"/bin/heapmill-fuzz-*; do
    name=${binary##*/}
    target=${name#heapmill-fuzz-}
    target=${target%%.*}
    cp "$binary" "$OUT/$name"
    ldd "$binary" | awk '$3 ~ "^/" && $1 !~ /^(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|ld-linux.*)\.so/ { print $3 }' |
        xargs -r cp -Lu -t "$OUT/lib"
    if [ -d "$source/fuzz/corpus/$target" ]; then
        rm -f "$OUT/${name}_seed_corpus.zip"
        (cd "$source/fuzz/corpus/$target" && cmake -E tar cf "$OUT/${name}_seed_corpus.zip" --format=zip -- *)
    fi
    if [ -f "$source/fuzz/dictionaries/$target.dict" ]; then
        cp "$source/fuzz/dictionaries/$target.dict" "$OUT/$name.dict"
    fi
done
