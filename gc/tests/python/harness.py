"""The functions that programs (program.h) are made of, in Python; run.c has them over gc/.

    harness.py --features     what of CPython 3.9 to 3.11 this interpreter does, and what it does not
    harness.py FILE           runs the functions p0, p1 ... of FILE and prints what each logs

The programs' objects have slots and no dict, or are of subclasses of list and dict: those come from no
free list, so that gc.get_count counts each. What the interpreter itself allocates is warmed and
weighed up after each full collection, which empties the free lists (settle).
"""

import gc
import sys
import weakref

try:
    from _testcapi import with_tp_del
except ImportError:
    with_tp_del = None

LOG = []
log = LOG.append
V = [None] * 6
W = [None] * 4
S = []
FIELDS = ("a", "b", "c")
SLOTS = FIELDS + ("n", "__weakref__")
serial = 0
counted = False
ending = False  # nothing is saved any more
drift = 0
spare = []


# ---------------------------------------------------------------- objects
def dies(self):
    log("del %d" % self.n)


def saves(self):
    log("del %d" % self.n)
    if not ending:
        S.append(self)


def clears(self):
    log("del %d" % self.n)
    self.a = None


def makes(self):
    global serial
    log("del %d" % self.n)
    o = Plain()
    o.n = serial
    serial += 1
    self.c = o


def make(name, **methods):
    return type(name, (), dict(methods, __slots__=SLOTS))


class List(list):
    __slots__ = ("n",)


class Dict(dict):
    __slots__ = ("n",)


class Ref(weakref.ref):
    __slots__ = ("n", "i")


Plain = make("Plain")
KINDS = [
    Plain,
    make("Dies", __del__=dies),
    make("Saves", __del__=saves),
    make("Clears", __del__=clears),
    make("Makes", __del__=makes),
    List,
    Dict,
]
if with_tp_del is not None:
    KINDS.append(with_tp_del(make("Legacy", __tp_del__=dies)))
    KINDS.append(with_tp_del(make("LegacySaves", __tp_del__=saves)))
SLOTTED = frozenset(k for k in KINDS if k is not List and k is not Dict)
NODES = frozenset(KINDS)


def label(o):
    t = type(o)
    return str(o.n) if t in NODES else "T" if t is tuple else "W" if isinstance(o, weakref.ref) else ""


def labels(objects):
    return " ".join(x for x in map(label, objects) if x)


def called(r):
    log("call %d" % r.n)


def called_and_drops(r):
    log("call %d" % r.n)
    if W[r.i] is r:
        W[r.i] = None


# ---------------------------------------------------------------- steps
def new(kind, i):
    global serial
    o = KINDS[kind]()
    o.n = serial
    serial += 1
    V[i] = o


def put(i, f, j):
    o = V[i]
    x = V[j]
    t = type(o)
    if t in SLOTTED:
        setattr(o, FIELDS[f % 3], x)
    elif x is None:
        pass
    elif t is List:
        o.append(x)
    elif t is Dict:
        o[FIELDS[f % 3]] = x


def take(i, j, f):
    o = V[j]
    t = type(o)
    x = None
    if t in SLOTTED:
        x = getattr(o, FIELDS[f % 3], None)
    elif t is List:
        if len(o) > 0:
            x = o[f % len(o)]
    elif t is Dict:
        x = o.get(FIELDS[f % 3])
    V[i] = x


def cut(i, f):
    o = V[i]
    t = type(o)
    if t in SLOTTED:
        setattr(o, FIELDS[f % 3], None)
    elif t is List:
        if len(o) > 0:
            del o[f % len(o)]
    elif t is Dict:
        if FIELDS[f % 3] in o:
            del o[FIELDS[f % 3]]


def empty(i):
    o = V[i]
    t = type(o)
    if t in SLOTTED:
        o.a = None
        o.b = None
        o.c = None
    elif t is List or t is Dict:
        o.clear()


def insert(i, f, j):
    o = V[i]
    x = V[j]
    if type(o) is List and x is not None:
        o.insert(f % (len(o) + 1), x)


def copy(i, j):
    V[i] = V[j]


def drop(i):
    V[i] = None


def pair(i, j, k):
    V[i] = (V[j], V[k])


def unsave():
    if len(S) > 0:
        S.pop()


def watch(i, j, how):
    global serial
    o = V[j]
    if type(o) not in SLOTTED or (counted and weakref.getweakrefcount(o) > 0):
        return
    if how == 0:
        r = weakref.ref(o)
    else:
        r = Ref(o, called if how == 1 else called_and_drops)
        r.n = serial
        r.i = i
        serial += 1
    W[i] = r


def unwatch(i):
    W[i] = None


def look(i):
    r = W[i]
    if r is None:
        log("look -")
        return
    o = r()
    log("look dead" if o is None else "look %d" % o.n)


def same(i, j):
    log("same %d" % (W[i] is W[j]))


def watched(i):
    o = V[i]
    log("watched %d" % (weakref.getweakrefcount(o) if type(o) in SLOTTED else 0))


def tracked(i):
    o = V[i]
    # By hand: to format with a specification makes a container.
    log("tracked " + ("1 " if gc.is_tracked(o) else "0 ") + ("1" if gc.is_finalized(o) else "0"))


def count(i):
    if V[i] is not None:
        log("count %d" % (sys.getrefcount(V[i]) - 1))


def referents(i):
    log("referents " + labels(gc.get_referents(V[i])))


def referrers(i):
    if V[i] is not None:
        log("referrers " + " ".join(sorted(x for x in map(label, gc.get_referrers(V[i])) if x)))


def generations():
    for g in range(3):
        log(f"generation {g}: " + labels(o for o in gc.get_objects(generation=g) if type(o) in NODES))


def collect(generation):
    log("collect %d" % gc.collect(generation))


def freeze():
    gc.freeze()


def garbage():
    log("garbage " + labels(gc.garbage))


def save_all(on):
    gc.set_debug(gc.DEBUG_SAVEALL if on else 0)


def counts():
    c = gc.get_count()  # not unpacked: an iterator is a container, for a moment
    log(f"counts {c[0]} {c[1]} {c[2]}")


def threshold(a, b, c):
    gc.set_threshold(a, b, c)


def enable(on):
    if on:
        gc.enable()
    else:
        gc.disable()


# ---------------------------------------------------------------- the interpreter's own containers
def settle():
    """Fills the free lists that programs draw on, and takes back what that has counted."""
    x = V[0]
    a = (x,)
    b = (x, x)
    c = (x, x, x)
    d = [x]
    del a, b, c, d
    gc.get_count()
    for _ in DRIFT:
        spare.pop()


DRIFT = ""


def phase(name, info):
    generation = info["generation"]
    if name == "start":
        log("start %d" % generation)
    else:
        log(f"stop {generation} {info['collected']} {info['uncollectable']}")
        if generation == 2:
            settle()


def can_settle():
    """Whether a full collection leaves a count of 0 behind, as it does without free lists."""
    global DRIFT
    gc.collect()
    gc.collect()
    found = gc.get_count()[0]
    if found > 20:
        return False
    DRIFT = "x" * found
    gc.collect()
    gc.collect()
    if gc.get_count()[0] != 0:
        return False
    # Frames of calls are containers up to 3.10.
    kept = Plain()
    LOG.clear()
    gc.set_threshold(1, 100, 100)
    gc.enable()
    drop(0)
    gc.disable()
    del kept
    return len(LOG) == 0


# ---------------------------------------------------------------- programs
def begin():
    global serial, ending
    ending = False
    for i in range(len(V)):
        V[i] = None
    for i in range(len(W)):
        W[i] = None
    S.clear()
    spare.extend(Plain() for _ in range(400 - len(spare)))
    gc.set_debug(0)
    gc.set_threshold(700, 10, 10)
    gc.collect()
    gc.freeze()
    gc.collect()
    LOG.clear()
    serial = 0


def bury():
    """Breaks what is in gc.garbage, and lets go of it."""
    for o in gc.garbage:
        if type(o) in SLOTTED:
            o.a = None
            o.b = None
            o.c = None
        elif type(o) is List or type(o) is Dict:
            o.clear()
    o = None
    gc.garbage.clear()


def finish():
    global ending
    gc.disable()
    ending = True
    log("end")
    gc.set_debug(0)
    log("names " + " ".join(label(o) or "-" for o in V))
    log("saved " + labels(S))
    if has_generations:
        generations()
    for i in range(len(W)):
        look(i)
    while len(S) > 0:
        S.pop()
    for i in range(len(V)):
        V[i] = None
    for i in range(len(W)):
        W[i] = None
    collect(2)
    garbage()
    bury()
    collect(2)
    first = len(LOG)
    gc.unfreeze()
    gc.collect()
    while len(S) > 0:
        S.pop()
    gc.collect()
    bury()
    gc.collect()
    # What was frozen dies in another order: it is among all that the interpreter has.
    rest = sorted(x for x in LOG[first:] if x.startswith("del"))
    LOG[first:] = rest
    S.clear()


def run(file):
    global counted
    programs = {}
    with open(file) as f:
        exec(compile(f.read(), file, "exec"), globals(), programs)
    for name, program in programs.items():
        counted = name.endswith("counted")
        begin()
        program()
        finish()
        print(name + ":")
        for line in LOG:
            print("  " + line)


def main():
    global has_generations
    gc.disable()
    gc.callbacks.append(phase)
    spare.extend(Plain() for _ in range(100))
    automatic = sys.version_info < (3, 12) and can_settle()
    has_generations = sys.version_info < (3, 14)
    if sys.argv[1] == "--features":
        print("legacy" if with_tp_del is not None else "no-legacy: _testcapi is not installed")
        print("generations" if has_generations else "no-generations: 3.14 has increments")
        print(
            "automatic"
            if automatic
            else "no-automatic: from 3.12 on collections wait for the evaluation loop"
            if sys.version_info >= (3, 12)
            else "no-automatic: calls make containers, up to 3.10"
        )
    else:
        run(sys.argv[1])


main()
