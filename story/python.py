"""What the installed python3 says in the same experiments: python3 -I -S -c TEXT EXPERIMENT prints one object of JSON.
Steps are those of story/objects/counts.c and cycles.c. "absent" names figures that this version has no answer for."""
import gc
import json
import sys
import weakref

# Small ints live in a static table: from 3.12 on they are immortal (PEP 683) and are not counted, and those of 3.11 begin
# with this count (_PyObject_IMMORTAL_REFCNT, Include/internal/pycore_object.h, 3.11).
VERSION = sys.version_info[:2]
FIRST_COUNT = 999999999 if VERSION == (3, 11) else 0


def count(cell):
    """Of what is in the cell. A subscript gives a reference of its own, whatever the version, which is taken off."""
    return sys.getrefcount(cell[0]) - 1


def counts():
    steps = []
    cell = [[]]

    def note(step):
        steps.append({"step": step, "python": count(cell)})

    note("x = []")
    y = cell[0]
    note("y = x")
    box = [cell[0]]
    note("box = [x]")
    box.append(cell[0])
    note("box.append(x)")

    def f(argument):
        note("f(x): inside f")
        return argument

    f(cell[0])
    note("f has returned")
    box.pop()
    note("box.pop()")
    y = 0.5
    note("y = 0.5")
    del box
    note("del box")
    return {"steps": steps, "y": y}


def shared():  # two of each count are the variable and the list in which it is looked at
    rows = []
    for value in range(-5, 257):
        rows.append({"value": value, "count": count([value]) - FIRST_COUNT - 2, "what": "python3"})
    answer = {"computed": count([int("1000000")])}
    if VERSION >= (3, 12):
        answer["absent"] = ["rows", "largest", "of_7"]
    else:
        answer["rows"] = rows
        answer["largest"] = max(row["count"] for row in rows)
        answer["of_7"] = rows[7 + 5]["count"]
    return answer


def cycle():
    gc.collect()
    gc.disable()
    steps = []
    cell = [[]]  # a
    b = []
    steps.append({"step": "a = []; b = []", "python": count(cell)})
    cell[0].append(b)
    b.append(cell[0])
    steps.append({"step": "a.append(b); b.append(a)", "python": count(cell)})
    del b
    steps.append({"step": "del b", "python": count(cell)})
    inner = cell[0][0]  # b; now its item is looked at, and a has lost its name
    cell[0] = None
    steps.append({"step": "del a", "python": count(inner)})
    del inner
    return {"steps": steps, "found": gc.collect(), "threshold": gc.get_threshold()[0]}


def care():
    steps = []
    saved = []

    class Node:
        def __del__(self):
            steps.append({"step": "the finalizer, which keeps its object" if Node.saves else "the finalizer"})
            if Node.saves:
                saved.append(self)

    Node.saves = False
    gc.collect()
    gc.disable()
    node = Node()
    node.me = node
    watch = weakref.ref(node, lambda dead: steps.append(
        {"step": "the weak reference's callback: it gives None by now" if dead() is None
         else "the weak reference's callback: it still gives the object"}))
    del node
    gc.collect()
    Node.saves = True
    node = Node()
    node.me = node
    del node
    gc.collect()
    steps.append({"step": "a collection later it is alive" if saved else "a collection later it is gone"})
    before = len(steps)
    saved.clear()
    gc.collect()
    steps.append({"step": "dropped and collected again: no second call" if len(steps) == before
                  else "dropped and collected again: a second call"})
    for order, step in enumerate(steps):
        step["python"] = order + 1
    return {"steps": steps, "watched": watch() is None}


def held():
    """Resident bytes of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def numbers():
    """Memory of dead ints, asked for by floats: 3 million of each."""
    count = 3000000
    slots = [None] * count
    start = held()
    for i in range(count):
        slots[i] = i + 1000
    ints = held()
    for i in range(count):
        slots[i] = None
    dropped = held()
    for i in range(count):
        slots[i] = i + 0.5
    floats = held()
    return {"start": start, "ints": ints - start, "kept": dropped - start, "grown": max(floats - ints, 0),
            "objects": count}


answers = {"counts": counts, "shared": shared, "cycle": cycle, "care": care, "numbers": numbers}[sys.argv[1]]()
answers["version"] = "%d.%d" % VERSION
print(json.dumps(answers))
