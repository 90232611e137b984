#!/usr/bin/env bash
# scripts/install on systems of other ages: dpkg-query, apt-cache and apt-get are stand-ins that know what the files
# `installed` and `candidates` say.
#   install_test.sh SCRIPTS_DIRECTORY
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/scripts" "$work/bin"
cp "$1/install" "$1/packages" "$work/scripts/"
cat >"$work/bin/dpkg-query" <<'STAND_IN'
#!/bin/bash
while read -r name version; do
    [[ " $* " != *" $name "* ]] || echo "installed $name all $version"
done <"$WORK/installed"
STAND_IN
cat >"$work/bin/apt-cache" <<'STAND_IN'
#!/bin/bash
while read -r name version; do
    [[ " $* " != *" $name "* ]] || printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$name" "$version"
done <"$WORK/candidates"
STAND_IN
cat >"$work/bin/apt-get" <<'STAND_IN'
#!/bin/bash
echo "$*" >>"$WORK/log"
for name in "$@"; do [ "$name" != "$(cat "$WORK/broken")" ] || exit 100; done
STAND_IN
printf '#!/bin/sh\necho 0\n' >"$work/bin/id"
chmod +x "$work/bin/"*
export WORK=$work PATH="$work/bin:$PATH"

needed="build-essential cmake ninja-build pkg-config git libbenchmark-dev libjansson-dev libcmocka-dev libzstd-dev libssl-dev libarchive-dev gnuplot-nox"
# A Debian 13: libmimalloc2.0 and libpython3.14-dev are names that apt knows and cannot have.
new_system() {
    tee "$work/installed" "$work/log" "$work/broken" </dev/null
    { for name in $needed libsqlite3-dev libpython3.13-dev libgc-dev heaptrack libmimalloc3 libtbbmalloc2 valgrind jq \
          libtcmalloc-minimal4t64 libclang-rt-19-dev; do echo "$name 1"; done
      echo "clang 1:19.0-63"; echo "libmimalloc2.0 (none)"; echo "libpython3.14-dev (none)"; } >"$work/candidates"
}
failed=0
expect() { # DESCRIPTION TEXT PATTERN
    grep -q -- "$3" <<<"$2" || { echo "$1: no '$3' in: $2" >&2; failed=1; }
}

new_system
said=$("$work/scripts/install" --test 2>&1)
installs=$(grep ' install \|^install ' "$work/log")
for package in $needed libmimalloc3 libtcmalloc-minimal4t64 libpython3.13-dev libclang-rt-19-dev; do
    expect "a new system" "$installs" " $package\\( \\|\$\\)"
done
expect "what cannot be had is told" "$said" "no package 'libjemalloc2': what needs it is skipped"
! grep -q 'libmimalloc2.0\|perf' <<<"$installs" || { echo "installs what it should not: $installs" >&2; failed=1; }

# One of the optional ones cannot be installed: the others are.
new_system
echo heaptrack >"$work/broken"
said=$("$work/scripts/install" 2>&1)
expect "an optional one that breaks" "$said" "'heaptrack' cannot be installed"
expect "the others" "$(tail -n 8 "$work/log")" "recommends valgrind\$"

# Something needed is not to be had: exit 3, and nothing is installed.
new_system
sed -i '/^libjansson-dev/d' "$work/candidates"
status=0
said=$("$work/scripts/install" 2>&1) || status=$?
[ $status -eq 3 ] || { echo "without jansson: exit $status" >&2; failed=1; }
expect "a needed one" "$said" "'libjansson-dev'.*cannot be built"

# A dry run installs nothing; what is installed takes the role though apt would have another.
new_system
echo "libmimalloc2.0 2.0.9" >"$work/installed"
said=$("$work/scripts/install" --dry-run 2>&1)
expect "a dry run" "$said" "missing Debian packages:.* libpython3.13-dev"
! grep -q mimalloc <<<"$said" || { echo "wants another mimalloc: $said" >&2; failed=1; }
[ ! -s "$work/log" ] || { echo "a dry run called apt-get: $(cat "$work/log")" >&2; failed=1; }
said=$("$work/scripts/install" --list)
expect "the list" "$said" "^mimalloc libmimalloc2.0 installed\$"
expect "the list" "$said" "^libfuzzer libclang-rt-19-dev available\$"
expect "the list" "$said" "^jemalloc libjemalloc2 absent\$"
exit $failed
