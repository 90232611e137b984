/* The birth ledger: who made each object that is alive, and what keeps it so.
 *
 * Only in builds with HEAPMILL_LEDGER; in others a constructor's call is nothing but the call, and
 * allocation does no more than it did. In a ledger build the call also notes its place; what the
 * constructor allocates, its helpers' objects too, is entered under that place and its type.
 * Objects that the runtime makes for itself have the place "runtime", line 0.
 *
 * A header that declares a constructor ends with one line for it, and the constructor's definition
 * has its name in parentheses:
 *     #define NAME_new(...) LEDGER_CALL(NAME_new, __VA_ARGS__)
 * Those of object.h are at the end of this file.
 *
 * The books are mapped outside the heap (os_map_scratch). When the system refuses memory for them,
 * births go unrecorded, and ledger_is_complete says so from then on.
 *
 * ledger_audit and ledger_find_chain look at every object alive: call them as gc_check, between
 * operations, not from finalizers or callbacks. */
#ifndef HEAPMILL_GC_LEDGER_H
#define HEAPMILL_GC_LEDGER_H

#include "gc/object.h" /* first: its declarations are not parenthesized */

#ifdef HEAPMILL_LEDGER

/* A place in the source. */
struct ledger_site {
    const char *file;
    int line;
};

enum { LEDGER_TYPE_NAME_BYTES = 40 };

/* All births of one type at one place. */
struct ledger_row {
    const struct ledger_site *site;
    const struct type *type; /* to tell rows apart; a class may be dead, so not to be followed */
    char type_name[LEDGER_TYPE_NAME_BYTES]; /* cut when longer */
    uint64_t births;
    uint64_t live;
    uint64_t live_bytes; /* of the objects' own blocks; vectors and tables are not counted */
};

/* Where the thread is: the last constructor call. */
extern _Thread_local const struct ledger_site *ledger_place;

/* ---------------------------------------------------------------- reading it */
/* Whether every birth since runtime_open was recorded. */
bool ledger_is_complete(const struct runtime *runtime);
size_t ledger_row_count(const struct runtime *runtime);
/* In order of the first birth. index < ledger_row_count. Valid until the next birth. */
const struct ledger_row *ledger_row_at(const struct runtime *runtime, size_t index);
/* Objects recorded and alive. */
uint64_t ledger_live(const struct runtime *runtime);

/* object, and the ordinal of its birth among all, from 1. false stops the visits. */
typedef bool ledger_visit(struct object *object, uint64_t birth, void *context);
/* Visits the live objects of row, in no order; of all rows when it is NULL. No object may be made
 * or die meanwhile. */
void ledger_visit_live(const struct runtime *runtime, const struct ledger_row *row,
                       ledger_visit *visit, void *context);
/* The row of a live object; NULL: not recorded. */
const struct ledger_row *ledger_row_of(const struct runtime *runtime, const struct object *object);

/* ---------------------------------------------------------------- what keeps objects alive */
/* An object with its count recounted. `names` is what of the count no container's reference and
 * none of the runtime's own explains: local variables that own one, or a decref that is missing.
 * Below zero, a decref too many. */
struct ledger_finding {
    struct object *object;
    const struct ledger_row *row; /* NULL: not recorded */
    int64_t refcount;
    int64_t explained;
    int64_t names;
};

typedef void ledger_report(const struct ledger_finding *finding, void *context);
/* Recounts the references to every live object and reports each whose count is not explained,
 * immortal objects left out. In a program that owns no reference any more every report names a
 * culprit. false: memory was refused, nothing was reported. */
bool ledger_audit(const struct runtime *runtime, ledger_report *report, void *context);

/* A shortest chain of referrers that keeps target alive: links[0] is an object that has names (or
 * is immortal), each refers to the next, the last is target. Returns its length, at most capacity
 * of which are filled in; 0: nothing that has names leads there, or memory was refused. */
size_t ledger_find_chain(const struct runtime *runtime, const struct object *target,
                         struct ledger_finding *links, size_t capacity);
/* The same for garbage: a shortest cycle through target. links[0] is target, each refers to the
 * next, and the last refers to target. 0: target is in no cycle, or memory was refused. */
size_t ledger_find_cycle(const struct runtime *runtime, const struct object *target,
                         struct ledger_finding *links, size_t capacity);

/* ---------------------------------------------------------------- the constructors */
/* Where the call stands. */
#define LEDGER_NOTE()                                                                              \
    __extension__({                                                                                \
        static const struct ledger_site ledger_site_here = {__FILE__, __LINE__};                   \
        ledger_place = &ledger_site_here;                                                          \
        (void)0;                                                                                   \
    })
#define LEDGER_CALL(constructor, ...) (LEDGER_NOTE(), constructor(__VA_ARGS__))

#else
#define LEDGER_CALL(constructor, ...) constructor(__VA_ARGS__)
#endif

#define int_new(...) LEDGER_CALL(int_new, __VA_ARGS__)
#define float_new(...) LEDGER_CALL(float_new, __VA_ARGS__)
#define str_new(...) LEDGER_CALL(str_new, __VA_ARGS__)
#define str_intern(...) LEDGER_CALL(str_intern, __VA_ARGS__)
#define tuple_new(...) LEDGER_CALL(tuple_new, __VA_ARGS__)
#define list_new(...) LEDGER_CALL(list_new, __VA_ARGS__)
#define dict_new(...) LEDGER_CALL(dict_new, __VA_ARGS__)
#define instance_new(...) LEDGER_CALL(instance_new, __VA_ARGS__)
#define instance_set_attribute(...) LEDGER_CALL(instance_set_attribute, __VA_ARGS__)

#endif
