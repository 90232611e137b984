# The reference traces' programs: `program NAME COMMAND…` for each, as scripts/record-traces and scripts/agreement define it.
# $work is a folder for what they write. redis is a server, and those scripts' own affair.
programs=traces/reference/programs
python=$(command -v /usr/bin/python3 || command -v python3 || echo python3)
program python-json "$python" -S -c "import json; d=json.loads(json.dumps([{'id':i,'name':str(i),'v':[i,i*.5,None]} for i in range(4000)])); print(len(json.dumps(d)))"
program python-web "$python" $programs/web.py
program python-compile "$python" -c "
import argparse, ast, sys
for name in ('argparse','dataclasses','typing'):
    m=__import__(name); compile(open(m.__file__).read(), name, 'exec')"
program sqlite sqlite3 :memory: "create table t(a integer primary key, b text, c real); with recursive n(i) as (select 1 union all select i+1 from n where i<20000) insert into t select i, 'name-'||(i*7919%10007), i*0.5 from n; create index tb on t(b); select count(*), sum(c) from t where b like 'name-1%'; select b, count(*) from t group by b order by 2 desc, 1 limit 5; delete from t where a%3=0; vacuum; select sum(length(b)) from t;"
program gcc gcc -O2 -x c -c $programs/tree.c.txt -o "$work/tree.o"
program git git log --stat -30
program perl perl -e 'my %h; my $s=1; for my $i (1..40000){ $s=($s*1103515245+12345)%2147483648; my $w="w".($s%3000); push @{$h{$w}}, "$i:$s"; } for my $k (sort keys %h){ my @a=grep {/7/} map { uc } @{$h{$k}}; $n+=@a; } print "$n\n";'
program node node -e 'const a=[];for(let i=0;i<20000;i++)a.push({id:i,s:"x"+i,b:Buffer.alloc(i%900+1)});console.log(JSON.stringify(a.map(o=>o.s)).length, a.reduce((n,o)=>n+o.b.length,0))'
