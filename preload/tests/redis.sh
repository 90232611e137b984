#!/bin/bash
# redis-server, which Debian links to jemalloc, with LIBRARY preloaded: it starts, serves, saves, and a second one finds
# the data whole.
#   redis.sh LIBRARY
set -euo pipefail
if ! command -v redis-server >/dev/null; then
    echo "skipped: redis-server is not installed (scripts/install --test)"
    exit 77
fi
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

start() {
    LD_PRELOAD=$1 redis-server --port 0 --enable-debug-command local --unixsocket "$work/socket" --dir "$work" --save "" >>"$work/log" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        [ "$(redis-cli -s "$work/socket" ping 2>/dev/null || true)" != PONG ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "redis-server did not start:"
    tail -n 5 "$work/log"
    exit 1
}

stop() {
    redis-cli -s "$work/socket" shutdown "$1" >/dev/null 2>&1 || true
    wait "$server" || { echo "redis-server ended badly:"; tail -n 5 "$work/log"; exit 1; }
    server=
}

start "$1"
grep -q "$(basename "$1")" "/proc/$server/maps" || { echo "$1 is not loaded"; exit 1; }
awk 'BEGIN { for (i = 0; i < 20000; i++) {
    printf "SET key:%d %*d\r\n", i, 1 + i % 900, i
    printf "RPUSH list:%d %d %d\r\n", i % 100, i, i * 7
    if (i % 3 == 0) printf "DEL key:%d\r\n", i / 2
    if (i % 5 == 0) printf "APPEND key:%d %*d\r\n", i, 1 + i % 2000, i } }' | redis-cli -s "$work/socket" --pipe >"$work/pipe"
grep -q "errors: 0" "$work/pipe" || { cat "$work/pipe"; exit 1; }
before=$(redis-cli -s "$work/socket" debug digest; redis-cli -s "$work/socket" dbsize)
stop save
start "$1"
after=$(redis-cli -s "$work/socket" debug digest; redis-cli -s "$work/socket" dbsize)
stop nosave
[ "${#before}" -gt 40 ] && [ "$before" = "$after" ] || { echo "the data differ: $before, $after"; exit 1; }
echo "$before"
