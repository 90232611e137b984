#!/bin/bash
# Real programs with LIBRARY preloaded print what they print without it, and end alike. Those that are not installed are
# named and passed over (scripts/install --test installs them).
#   real_programs.sh LIBRARY [FORKS]     (FORKS: preload_test, which forks while threads allocate)
set -eu
library=$1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
. "$(dirname "$0")/same.sh"
export LC_ALL=C HOME=$work GIT_CONFIG_NOSYSTEM=1 PYTHONDONTWRITEBYTECODE=1
# pyenv and its like are shell scripts before the program.
PATH=/usr/bin:/bin:$PATH

has() {
    command -v "$1" >/dev/null && return 0
    echo "absent  $1"
    return 1
}

if has sqlite3; then
    cat >"$work/load.sql" <<'SQL'
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO t SELECT i, hex(i * 7919) || printf('%0*d', i % 200, i), i / 3.0 FROM n;
CREATE INDEX tb ON t(b); CREATE INDEX tc ON t(c, b);
DELETE FROM t WHERE a % 3 = 0;
UPDATE t SET b = b || b WHERE a % 7 = 0;
VACUUM; ANALYZE; PRAGMA integrity_check;
SELECT count(*), sum(length(b)), max(c) FROM t;
SELECT substr(b, 1, 2) AS k, count(*) FROM t GROUP BY k ORDER BY 2 DESC, 1 LIMIT 20;
SQL
    same sqlite3 sqlite3 :memory: ".read $work/load.sql"
fi
if has python3; then
    if python3 -c 'import test.test_dict' 2>/dev/null; then
        for part in dict list json threading fork1 re; do
            # Its own summary has times in it: what counts is how it ends.
            same "python3 test_$part" sh -c "PYTHONMALLOC=malloc python3 -m test -q test_$part >/dev/null 2>&1"
        done
    else
        echo "absent  python3's own tests"
    fi
    same "python3 multiprocessing" env PYTHONMALLOC=malloc python3 -c '
import multiprocessing as m
if __name__ == "__main__":
    with m.get_context("fork").Pool(2) as p:
        print(sum(p.map(hash, range(20000))))'
fi
for compiler in gcc g++; do
    if has $compiler; then
        awk 'BEGIN { for (i = 0; i < 1500; i++) printf "static int f%d(int x) { int y[%d]; for (int i = 0; i < %d; i++) y[i] = x * i; return y[x %% %d]; }\n", i, i % 9 + 1, i % 9 + 1, i % 9 + 1
            print "int main(void) { return "; for (i = 0; i < 1500; i++) printf "f%d(%d) + ", i, i; print "0; }" }' >"$work/generated.c"
        same "$compiler -O2" sh -c "$compiler -O2 -S -x ${compiler/g++/c++} -x ${compiler/gcc/c} -o - '$work/generated.c' 2>/dev/null | cksum"
    fi
done
if has git; then
    mkdir "$work/origin"
    (cd "$work/origin" && git init -q . && git config user.email a@b && git config user.name a &&
        for i in 1 2 3 4 5 6; do seq "$i" 20000 >"file$i"; git add . && GIT_COMMITTER_DATE=2020-01-0${i}T00:00 git commit -q --date 2020-01-0${i}T00:00 -m "$i"; done)
    same "git clone, repack, fsck" sh -c "rm -rf '$work/clone'; git clone -q --no-local '$work/origin' '$work/clone' && cd '$work/clone' &&
        git repack -adfq --depth=20 && git fsck --strict && git log --format=%H && git cat-file --batch-all-objects --batch-check | sort"
fi
has perl && same perl perl -e 'my %h; for my $i (1 .. 200000) { $h{$i % 5003} .= chr(97 + $i % 26); } print join(",", map { length $h{$_} } sort { $a <=> $b } keys %h), "\n"'
has bash && same bash bash -c 'declare -A a; for i in {1..30000}; do a[$((i % 997))]+=x; done; for k in "${!a[@]}"; do echo "$k ${#a[$k]}"; done | sort; f() { echo $(($1 * 2)); }; for i in {1..200}; do f $i; done'
if has vim; then
    seq 1 20000 >"$work/text"
    same vim sh -c "cp '$work/text' '$work/edited' && vim -u NONE -N -es -c '%s/1/one/g' -c 'g/5/m0' -c 'wq' '$work/edited'; cksum <'$work/edited'"
fi
seq 1 13000000 | awk '{ print ($1 * 7919) % 10000019 }' | head -c 100000000 >"$work/large"
has sort && same "sort 100 MB, two threads" sh -c "sort --parallel=2 -S 200M -n '$work/large' | cksum"
has xz && same "xz -T2" sh -c "head -c 20000000 '$work/large' | xz -T2 -1 | xz -dc | cksum"
has node && same node node -e 'const m = new Map(); for (let i = 0; i < 300000; i++) m.set("k" + i % 7001, [i, String(i)]); let s = 0; for (const [k, v] of m) s += v[0] + k.length; console.log(s, Buffer.alloc(1 << 20, 7).toString("base64").length)'
has tar && has gzip && same "tar | gzip" sh -c "tar -C /usr/include --sort=name --mtime=@0 -cf - linux 2>/dev/null | gzip -n | cksum"
has openssl && same openssl sh -c "openssl dgst -sha256 '$work/text' 2>/dev/null || true; openssl enc -aes-256-cbc -pbkdf2 -S 0102030405060708 -k x -in '$work/large' 2>/dev/null | cksum"
if has nginx; then
    cat >"$work/nginx.conf" <<CONF
worker_processes 2; daemon off; pid $work/nginx.pid; error_log $work/error.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work;
       scgi_temp_path $work; server { listen unix:$work/nginx.sock; root $work; } }
CONF
    LD_PRELOAD=$library nginx -c "$work/nginx.conf" -p "$work" &
    server=$!
    for _ in $(seq 100); do [ -S "$work/nginx.sock" ] && break; sleep 0.1; done
    answers=$(for _ in $(seq 300); do curl -s --unix-socket "$work/nginx.sock" http://x/text | cksum; done | sort | uniq -c)
    kill -QUIT "$server"; wait "$server" || failed=1; server=
    [ "$(awk '{ print $1 }' <<<"$answers")" = 300 ] && echo "ok      nginx" || { echo "FAILED  nginx: $answers"; failed=1; }
fi
# No descriptor is left open in a program.
same descriptors sh -c 'ls /proc/self/fd | wc -l'
if [ $# -gt 1 ]; then
    HEAPMILL_EXPECT_MALLOC=$(basename "$library") PRELOAD_TEST_FORKS=1000 LD_PRELOAD=$library "$2" >"$work/forks" 2>&1 && echo "ok      1000 forks of threads" ||
        { echo "FAILED  1000 forks of threads"; tail -n 5 "$work/forks"; failed=1; }
fi
exit $failed
