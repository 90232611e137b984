#!/bin/sh
# record_link.sh COMMAND…: runs the command, which links a program, and then writes PROGRAM.link: the directory, and the words
# of the command, a line each. run/layouts.c reads it.
set -eu
program=
next=
for word; do
    [ "$next" != -o ] || program=$word
    next=$word
done
"$@"
{ pwd && printf '%s\n' "$@"; } > "$program.link.tmp"
mv "$program.link.tmp" "$program.link"
