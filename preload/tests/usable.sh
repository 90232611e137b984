#!/bin/sh
# A program that is linked to another allocator gets from LIBRARY the usable sizes that it gets from LIBRARY without
# being linked to one: a block of libc's is asked of libc, not of that allocator. And jemalloc's own functions (mallocx)
# give blocks of LIBRARY too, since programs mix them with malloc's.
#   usable.sh LIBRARY PLAIN LINKED…
set -eu
library=$1
plain=$2
shift 2
expected=$(LD_PRELOAD=$library "$plain" usable)
for linked in "$@"; do
    said=$(LD_PRELOAD=$library "$linked" usable)
    LD_PRELOAD=$library "$linked" mallocx || { echo "$linked mallocx: wrong"; exit 1; }
    [ "$said" = "$expected" ] || { echo "$linked says" $said, "not" $expected; exit 1; }
done
[ $# -gt 0 ] || { echo "skipped: no other allocator is installed to be linked to"; exit 77; }
