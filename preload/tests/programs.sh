#!/bin/sh
# Ordinary programs with LIBRARY preloaded must print what they print without it.
set -eu
library=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/same.sh"

awk 'BEGIN { for (i = 0; i < 200000; i++) print (i * 7919) % 1000003 }' >"$work/numbers"
same ls ls -laR /usr/include
same sort sort --parallel=4 -n "$work/numbers"
same awk awk '{ seen[$1 % 1000] = seen[$1 % 1000] $1 } END { for (k = 0; k < 1000; k++) print length(seen[k]) }' \
    "$work/numbers"
same shell sh -c 'for i in 1 2 3 4 5 6 7 8; do (echo $i | sed s/1/one/); done'
if command -v python3 >/dev/null; then
    cat >"$work/program.py" <<'PYTHON'
import json, os, sys, threading

def build(results, number):
    texts = [json.dumps({"key %d" % i: list(range(i % 50))}) for i in range(3000)]
    results[number] = sum(len(json.loads(text)) for text in texts)

results = {}
threads = [threading.Thread(target=build, args=(results, number)) for number in range(4)]
for thread in threads:
    thread.start()
for _ in range(10):  # forks while other threads allocate
    child = os.fork()
    if child == 0:
        os._exit(len([str(i) for i in range(1000)]) % 256)
    print(os.waitpid(child, 0)[1] >> 8)
for thread in threads:
    thread.join()
print(sorted(results.items()))
PYTHON
    # Every object from malloc: not CPython's own pools over ours.
    same python3 env PYTHONMALLOC=malloc PYTHONWARNINGS=ignore python3 "$work/program.py"
fi
exit $failed
