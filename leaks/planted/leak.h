/* Planted leaks with a known truth, and what the detectors may see of them.
 *
 * A kind is a small program that does the same step again and again. Planted, some operations of a
 * step leak; clean, its twin does the same without the leak. What leaked is counted by the kind
 * itself in struct leak_truth, as it happens; detectors are given struct leak_program alone and
 * answer before the truth is told.
 *
 * What the program means to keep is reachable from its roots: `globals`, a list object, for objects
 * and `state`, a region that is scanned for pointers, for raw blocks. Between steps it owns no
 * other reference. At the end nothing is released, so that detectors outside the process see the
 * heap as a program leaves it. One thread, but for a kind's own threads, which it waits for. */
#ifndef HEAPMILL_LEAKS_PLANTED_LEAK_H
#define HEAPMILL_LEAKS_PLANTED_LEAK_H

#include "allocators/backend.h"
#include "common/rng.h"
#include "gc/object.h"

enum { LEAK_STATE_WORDS = 512, LEAK_SITES_MAX = 4, LEAK_SITE_BYTES = 96 };

/* What a detector may look at. */
struct leak_program {
    struct heap *heap;
    struct runtime *runtime;
    struct object *globals;        /* a list */
    void *state[LEAK_STATE_WORDS]; /* the program's static variables */
    uint64_t raw_blocks;           /* that the program has from leak_alloc, now */
    uint64_t raw_bytes;
};

struct leak_truth {
    uint64_t objects;
    uint64_t blocks; /* raw ones */
    uint64_t bytes;  /* of the blocks; of objects that of their types, items left out */
    char sites[LEAK_SITES_MAX][LEAK_SITE_BYTES];
    size_t site_count;
};

struct leak_run {
    struct leak_program program;
    struct rng rng;  /* seeded anew before each step: steps are equal */
    double rate;     /* the share of operations that leak, above 0 and up to 1 */
    uint64_t number; /* operations of a step */
    bool clean;
    uint64_t chosen;        /* the operation of a step that leaks whatever the rate */
    const char *place_file; /* where LEAK_AT was last */
    int place_line;
    const char *failed; /* "heap exhausted" */
    struct leak_truth truth;
};

struct leak_kind {
    const char *name;
    const char *summary;
    bool only_clean;                     /* it looks like a leak and is none */
    bool (*start)(struct leak_run *run); /* false: exhausted. May be NULL. */
    void (*step)(struct leak_run *run);  /* one step: run->number operations */
};

extern const struct leak_kind *const leak_kind_table[]; /* ends with NULL */
const struct leak_kind *leak_kind_find(const char *name);

/* Notes the place, which becomes the truth's site if what is made here is lost. On one line. */
#define LEAK_AT(run, made) ((run)->place_file = __FILE__, (run)->place_line = __LINE__, (made))

/* Does this operation leak? Never in a clean twin; draws alike in both. */
bool leak_is_due(struct leak_run *run, uint64_t operation);
/* Enters an object, or a block, into the truth: it leaks from now on, having been made at the last
 * LEAK_AT. */
void leak_plant_object(struct leak_run *run, const struct object *object);
void leak_plant_block(struct leak_run *run, size_t bytes);

/* Raw blocks, as a C extension uses them. In ledger builds their sites are kept, see
 * leak_blocks.h. NULL: exhausted. */
void *leak_alloc_at(struct leak_program *program, size_t bytes, const char *file, int line);
void leak_free(struct leak_program *program, void *block, size_t bytes);
#define leak_alloc(program, bytes) leak_alloc_at(program, bytes, __FILE__, __LINE__)

#endif
