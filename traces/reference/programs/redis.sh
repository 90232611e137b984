#!/bin/sh
# A redis-server that is asked 30000 times, and its clients. redis.sh DIRECTORY, for its socket.
socket=$1/redis.sock
redis-server --port 0 --unixsocket "$socket" --save "" --appendonly no >/dev/null &
while [ ! -S "$socket" ]; do sleep 0.1; done
awk 'BEGIN {
    s = 1
    for (i = 0; i < 30000; i++) {
        s = (s * 16807) % 2147483647; k = s % 4000; c = s % 7
        if (c < 2) print "SET k" k " value-" s
        else if (c == 2) print "LPUSH l" k % 200 " " s
        else if (c == 3) print "HSET h" k % 100 " f" s % 50 " " s
        else if (c == 4) print "GET k" k
        else if (c == 5) print "DEL k" k
        else print "RPOP l" k % 200
    }
}' | redis-cli -s "$socket" >/dev/null
redis-cli -s "$socket" shutdown nosave
wait
