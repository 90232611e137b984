/* The back end `freelist`: CPython's private per-type free lists over another back end.
 *
 * Algorithm: a freed block of a fixed-size type goes to its type's own list, linked through the
 * block's first word, and serves that type's next allocation, last in first out. Everything else
 * goes to the back end below, UNDER. Caps say how many blocks a list may keep (0: no list;
 * unbounded: no limit and no counter); a block that finds its list full goes back to UNDER.
 *
 * Sources. freelist-2.7, CPython 2.7.18: Objects/intobject.c and floatobject.c (no limit; carved
 * from blocks of BLOCK_SIZE 1000 bytes, of which BHEAD_SIZE 8 are the link to the next: 41 objects
 * of 24 bytes), listobject.c (PyList_MAXFREELIST 80), dictobject.c (PyDict_MAXFREELIST 80),
 * tupleobject.c (PyTuple_MAXSAVESIZE 20: lengths 1 to 19; PyTuple_MAXFREELIST 2000 for each).
 * freelist-3.x, CPython 3.10: the same without the int list, and PyFloat_MAXFREELIST 100. CPython
 * keeps lists and dicts in an array of pointers; we link them as it links tuples, since the block
 * is touched either way.
 *
 * An unbounded list of ints or floats is carved as 2.7 does it. 2.7 takes the blocks by
 * PyMem_MALLOC, which there is the system malloc and not pymalloc; ours come from heap_os.alloc,
 * which is where pymalloc's large blocks come from too. Objects never leave them one by one. trim,
 * which a full collection calls, releases the wholly free ones, as PyInt_ClearFreeList and
 * PyFloat_ClearFreeList do. It also empties the bounded lists; with TRIM_LISTS_AND_DICTS 0 those
 * two stay, as in 2.7, which empties tuples only.
 *
 * Fragmentation: what a list keeps serves no other type. A program that drops n ints and then makes
 * n floats holds both, whatever UNDER can do. The bounds of 3.x are the cure.
 *
 * Limits: size and type are needed at every call, so there is no arm without them. Carved blocks
 * are aligned to 8. The peak of held bytes is UNDER's plus that of the carved blocks: an upper
 * bound. UNDER defines, besides the contract, S_owns and (with HEAPMILL_CHECKED) S_verify_free. */
#ifndef HEAPMILL_ALLOCATORS_FREELIST_H
#define HEAPMILL_ALLOCATORS_FREELIST_H

#include <string.h>

#include "allocators/heap.h"

#include FREELIST_UNDER_HEADER

/* The words that a cap may be. */
#define FREELIST_INT_CAP_UNBOUNDED SIZE_MAX
#define FREELIST_FLOAT_CAP_UNBOUNDED SIZE_MAX
#define FREELIST_LIST_CAP_UNBOUNDED SIZE_MAX
#define FREELIST_DICT_CAP_UNBOUNDED SIZE_MAX
#define FREELIST_TUPLE_CAP_UNBOUNDED SIZE_MAX

#ifndef FREELIST_TRIM_LISTS_AND_DICTS
#define FREELIST_TRIM_LISTS_AND_DICTS 1
#endif

#define FREELIST_JOIN_(a, b) a##_##b
#define FREELIST_JOIN(a, b) FREELIST_JOIN_(a, b)
/* FREELIST_BELOW(alloc) is pymalloc_alloc. */
#define FREELIST_BELOW(verb) FREELIST_JOIN(FREELIST_UNDER, verb)

#define FREELIST_CARVES_INTS (FREELIST_INT_CAP == SIZE_MAX)
#define FREELIST_CARVES_FLOATS (FREELIST_FLOAT_CAP == SIZE_MAX)
#define FREELIST_CARVES (FREELIST_CARVES_INTS || FREELIST_CARVES_FLOATS)

#define FREELIST_CAPABILITIES                                                                      \
    (HEAP_CAN_CHECK |                                                                              \
     (FREELIST_UNDER_CAPABILITIES & ~(HEAP_CAN_FREE_UNSIZED | HEAP_CAN_ALIGN | HEAP_CAN_THREADS)))
#define FREELIST_ALIGNMENT (FREELIST_CARVES ? 8 : FREELIST_UNDER_ALIGNMENT)

enum {
    FREELIST_TUPLE_LENGTHS = 19, /* PyTuple_MAXSAVESIZE 20, and the empty tuple is shared */
    FREELIST_SLOTS = 41,         /* (BLOCK_SIZE 1000 − BHEAD_SIZE 8) / 24 */
    FREELIST_SLOT_BYTES = HEAP_INT_BYTES,
};

/* The lists: one for each type, and one for each length of a tuple. */
enum {
    FREELIST_INTS = 0,
    FREELIST_FLOATS,
    FREELIST_LISTS,
    FREELIST_DICTS,
    FREELIST_TUPLES, /* of length 1; longer ones follow */
    FREELIST_COUNT = FREELIST_TUPLES + FREELIST_TUPLE_LENGTHS,
    FREELIST_NONE = FREELIST_COUNT,
};

/* What a cached block begins with. mark is written by the slow operations (and by every free when
 * compiled with HEAPMILL_CHECKED); its purpose is in freelist.c. The memory was the caller's, under
 * whatever type. */
struct __attribute__((may_alias)) freelist_link {
    struct freelist_link *next;
    uint64_t mark;
};

/* PyIntBlock: 992 bytes. */
struct freelist_carved {
    struct freelist_carved *next;
    unsigned char slots[FREELIST_SLOTS][FREELIST_SLOT_BYTES];
};

struct freelist_list {
    struct freelist_link *head;
    size_t count; /* not kept for unbounded lists in timed workers */
};

struct freelist_heap {
    struct freelist_list lists[FREELIST_COUNT];
    struct freelist_carved *carved[2]; /* of ints, of floats */
    size_t carved_count[2];
    size_t carved_bytes_peak; /* of both */
    uint64_t mark_key;
    struct heap_os os;
    struct FREELIST_BELOW(heap) under;
};

enum status freelist_open(struct freelist_heap *heap, const struct heap_options *options,
                          struct error *error);
void freelist_close(struct freelist_heap *heap);
void freelist_trim(struct freelist_heap *heap);
void freelist_stats(const struct freelist_heap *heap, struct heap_stats *stats);
void freelist_walk(const struct freelist_heap *heap, heap_visit *visit, void *context);
size_t freelist_check(const struct freelist_heap *heap);

#include "allocators/freelist_inline.h"

#endif
