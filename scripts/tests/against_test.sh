#!/usr/bin/env bash
# `heapmill bench --against REF`: a revision that is the same is the same to the instruction; one whose pools did more work
# is slower than the working tree. The second is a commit that is made beside the index and the working tree, and belongs to
# no branch.
#   against_test.sh SOURCE_DIRECTORY BIN_DIRECTORY
# Exit 77: this is no git checkout, its files were changed, or valgrind is absent.
set -euo pipefail
source=$1
PATH=$2:$PATH
command -v valgrind >/dev/null || { echo "SKIPPED: no valgrind" >&2; exit 77; }
cd "$source"
git rev-parse --quiet --verify HEAD >/dev/null || { echo "SKIPPED: no git checkout" >&2; exit 77; }
git diff --quiet HEAD -- allocators workloads common preload gc || { echo "SKIPPED: files were changed" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-1}

bench() {
    heapmill bench -b pymalloc-3.10:inline -w pingpong --metric instructions --against "$1" -o "$work/$2" >"$work/table"
}

bench HEAD same || { cat "$work/table"; echo "against_test: the same revision is told apart"; exit 1; }
grep -q '0 worse, 0 better of 1 figures' "$work/table" || { cat "$work/table"; exit 1; }

export GIT_INDEX_FILE=$work/index
git read-tree HEAD
line='static inline void \*pymalloc_alloc('
grep -q "^$line" allocators/pymalloc_inline.h || { echo "against_test: pymalloc_alloc has moved: mend the test"; exit 1; }
slow=$(awk -v line='^static inline void \\*pymalloc_alloc\\(' \
    '$0 ~ line { seen = 1 } { print } seen && /^{/ { print "    for (volatile int i = 0; i < 20; i++) {\n    }"; seen = 0 }' \
    allocators/pymalloc_inline.h | git hash-object -w --stdin)
git update-index --cacheinfo "100644,$slow,allocators/pymalloc_inline.h"
commit=$(git -c user.name=test -c user.email=test commit-tree -p HEAD -m 'slower, for a test' "$(git write-tree)")
unset GIT_INDEX_FILE
bench "$commit" faster || { cat "$work/table"; echo "against_test: less work is called a regression"; exit 1; }
grep -q '0 worse, 1 better of 1 figures' "$work/table" || { cat "$work/table"; exit 1; }
