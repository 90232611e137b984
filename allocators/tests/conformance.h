/* What the parts of the conformance suite share: heap_os hooks that count and fail, and a model of
 * what a heap has handed out. The suite is compiled once for each back end and arm. */
#ifndef HEAPMILL_ALLOCATORS_TESTS_CONFORMANCE_H
#define HEAPMILL_ALLOCATORS_TESTS_CONFORMANCE_H

#include "allocators/backend.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/rng.h"

/* ---------------------------------------------------------------- the operating system */
enum { CONFORMANCE_MAPPINGS_MAX = 1024 };

/* Counts what a heap takes and gives back; the call numbered fail_at (from 0) and no other is
 * refused. */
struct conformance_os {
    struct heap_os hooks; /* to be passed to heap_open; context is this struct */
    size_t calls;         /* of map, alloc and resize */
    size_t fail_at;
    size_t blocks; /* of alloc, not yet freed */
    size_t mapping_count;
    struct {
        void *address;
        size_t bytes;
    } mappings[CONFORMANCE_MAPPINGS_MAX];
};

#define CONFORMANCE_NEVER SIZE_MAX

void conformance_os_begin(struct conformance_os *os, size_t fail_at);
/* Fails the test unless everything has been given back. */
void conformance_os_assert_balanced(const struct conformance_os *os);

/* Opens heap over os, or skips the test when the back end is not to be had here. */
void conformance_open(struct heap *heap, struct conformance_os *os);

/* ---------------------------------------------------------------- the model */
struct conformance_block {
    unsigned char *address; /* NULL: the slot is empty */
    size_t size;
    enum heap_type type;
    unsigned char fill; /* what every byte of it is */
};

/* Knows every live block of a heap. Contents are filled and compared where the back end keeps them.
 */
struct conformance_model {
    struct heap *heap;
    size_t capacity;
    struct conformance_block *blocks; /* from os_map */
    size_t live;
    size_t live_bytes;
    unsigned char next_fill;
};

void conformance_model_begin(struct conformance_model *model, struct heap *heap, size_t capacity);
void conformance_model_end(struct conformance_model *model);

/* The slot must be empty. false: the heap returned NULL. */
bool conformance_alloc(struct conformance_model *model, size_t slot, size_t size,
                       enum heap_type type);
/* The slots must be in use; contents are compared first. */
void conformance_free(struct conformance_model *model, size_t slot);
bool conformance_resize(struct conformance_model *model, size_t slot, size_t size);
void conformance_free_all(struct conformance_model *model);

/* Contents, overlaps, check, stats and walk against the model. */
void conformance_verify(const struct conformance_model *model);

/* A size, and a type that goes with it: one of the object layer's fixed sizes, or a random size
 * from low to high, more often small than large. */
void conformance_draw(struct rng *rng, size_t low, size_t high, size_t *size, enum heap_type *type);

#define CONFORMANCE_CAN(capability) ((HEAP_CAPABILITIES & (capability)) != 0)

/* ---------------------------------------------------------------- the parts */
int conformance_single_tests(void);
int conformance_random_tests(void);
int conformance_fault_tests(void);
int conformance_misuse_tests(void);
int conformance_capable_tests(void);

#endif
