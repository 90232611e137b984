#!/bin/sh
# apply.sh SOURCE ROOT PATCH FILE…: copies the files from SOURCE to ROOT and applies the patch to the copies.
source=$1 root=$2 patch=$3
shift 3
rm -rf "$root"
for file in "$@"; do
    mkdir -p "$root/$(dirname "$file")" && cp "$source/$file" "$root/$file" || exit 1
done
said=$(patch -p1 -s -t -d "$root" <"$patch" 2>&1) && exit 0
echo "$said" >&2
echo "fuzz/bugs: $patch no longer applies: make it anew against the changed source" >&2
rm -rf "$root"
exit 1
