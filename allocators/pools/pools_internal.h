/* The interface between the parts of `pools`. Functions with "Locked" in their comment need the
 * heap's lock held. */
#ifndef HEAPMILL_ALLOCATORS_POOLS_POOLS_INTERNAL_H
#define HEAPMILL_ALLOCATORS_POOLS_POOLS_INTERNAL_H

#include "allocators/pools/pools.h"

enum { POOLS_SYSTEM_PAGE = 4096 };

/* ---------------------------------------------------------------- pools_units.c */
/* Takes that many units at a multiple of alignment, and tags them; POOLS_NONE: there are none.
 * Locked. */
uint32_t pools_units_take(struct pools_heap *heap, uint32_t count, uint32_t alignment,
                          uint32_t tag);
/* Takes the units from unit on, if all of them are free. Locked. */
bool pools_units_extend(struct pools_heap *heap, uint32_t unit, uint32_t count, uint32_t tag);
/* Locked. */
void pools_units_release(struct pools_heap *heap, uint32_t unit, uint32_t count);
/* The system has the memory of these free units. Locked. */
void pools_units_clean(struct pools_heap *heap, uint32_t unit, uint32_t count);
/* Gives the memory of that many dirty units back to the system, the highest first. Locked. */
void pools_units_purge(struct pools_heap *heap, uint32_t count);

static inline void pools_lock(const struct pools_heap *heap)
{
    (void)pthread_mutex_lock((pthread_mutex_t *)&heap->mutex);
}

static inline void pools_unlock(const struct pools_heap *heap)
{
    (void)pthread_mutex_unlock((pthread_mutex_t *)&heap->mutex);
}

static inline bool pools_bit_is_set(const uint64_t *bits, uint32_t number)
{
    return (bits[number / 64] >> (number % 64) & 1) != 0;
}

static inline void *pools_address_of(const struct pools_heap *heap, uint32_t unit)
{
    return heap->base + ((size_t)unit << POOLS_UNIT_SHIFT);
}

/* ---------------------------------------------------------------- pools_pace.c */
/* Called after units were released or taken. Locked. */
void pools_pace(struct pools_heap *heap);
/* Called after the local's thread has given a block to a page. Not locked. */
void pools_attend(struct pools_heap *heap, struct pools_local *local);

/* ---------------------------------------------------------------- pools_page.c */
/* The first unit of the page of the class that unit is in. */
static inline uint32_t pools_page_unit(const struct pools_heap *heap, uint32_t unit,
                                       uint32_t size_class)
{
    return unit & ~((1u << heap->classes[size_class].unit_shift) - 1);
}

/* The number of the block in its page. The page must begin at unit. */
static inline uint32_t pools_number_of(const struct pools_heap *heap, uint32_t unit,
                                       uint32_t size_class, const void *block)
{
    uint64_t offset = (uintptr_t)block - (uintptr_t)pools_address_of(heap, unit);
    return (uint32_t)(offset * heap->classes[size_class].reciprocal >> 32);
}

/* Moves the blocks that other threads freed into `free`, and then lists or releases the page if
 * necessary. The page belongs to the local, whose thread is the caller or has ended (locked). */
void pools_page_harvest(struct pools_heap *heap, struct pools_local *local, uint32_t unit,
                        bool locked);
/* The NULL under the stack of the class. */
static inline void **pools_stack_bottom(const struct pools_heap *heap, struct pools_local *local,
                                        uint32_t size_class)
{
    return &local->pointers[heap->classes[size_class].stack_at - 1];
}

static inline uint32_t pools_stack_count(const struct pools_heap *heap,
                                         const struct pools_local *local, uint32_t size_class)
{
    return (uint32_t)(local->stacks[size_class].top -
                      &local->pointers[heap->classes[size_class].stack_at - 1]);
}

/* Opens the local's stacks, or closes them so that every free goes to a page. */
void pools_stacks_open(const struct pools_heap *heap, struct pools_local *local, bool are_open);

void pools_bin_remove(struct pools_heap *heap, struct pools_bin *bin, uint32_t unit);
/* Empties the stacks into the pages, and releases pages that are empty. Not locked. */
void pools_local_flush(struct pools_heap *heap, struct pools_local *local);

/* ---------------------------------------------------------------- pools_threads.c */
/* Points at which a test lets other threads run: after a remote free has set its bit and before it
 * has told the owner; and after it has found that the page is gone, before it has cleared its
 * flag. */
enum pools_pause { POOLS_PAUSE_SET, POOLS_PAUSE_GONE };
#ifdef POOLS_PAUSES
void pools_pause(enum pools_pause where);
#else
#define pools_pause(where) ((void)0)
#endif

extern struct pools_local pools_nobody;

/* The calling thread's local in the heap, which is made if there is none; NULL: there are too many
 * threads. */
struct pools_local *pools_local_get(struct pools_heap *heap);
/* Reads the mail. locked: the caller has the lock. */
void pools_mail_read(struct pools_heap *heap, struct pools_local *local, bool locked);
/* Returns small blocks to their pages, whoever owns them. Any thread may call it. */
void pools_deliver(struct pools_heap *heap, void *const *blocks, uint32_t count);
void pools_outbox_deliver(struct pools_heap *heap, struct pools_local *local);
/* Takes a page of the class with free blocks from an ended thread, for the local; POOLS_NONE: there
 * is none. Locked. */
uint32_t pools_orphan_page(struct pools_heap *heap, struct pools_local *local, uint32_t size_class);

/* ---------------------------------------------------------------- pools_secure.c */
#define POOLS_FATAL_OVERFLOW "a block was written beyond its end"
#define POOLS_FATAL_WRITTEN "a block was written after it was freed"

#if POOLS_DELAY || POOLS_RANDOM
uint32_t pools_lot(struct pools_local *local);
#endif
#if POOLS_DELAY
/* Frees the waiting blocks. */
void pools_delay_end(struct pools_heap *heap, struct pools_local *local);
#else
#define pools_delay_end(heap, local) ((void)0)
#endif
#if POOLS_RANDOM
void pools_shuffle(struct pools_local *local, void **pointers, uint32_t count);
#else
#define pools_shuffle(local, pointers, count) ((void)0)
#endif
#if POOLS_GUARD
/* Forbids access to the surroundings of the run that begins at unit, or allows it again. */
void pools_guard(const struct pools_heap *heap, uint32_t unit, bool is_guarded);
#else
#define pools_guard(heap, unit, is_guarded) ((void)0)
#endif

/* ---------------------------------------------------------------- pools_large.c */
void pools_free_run(struct pools_heap *heap, uint32_t unit);

/* ---------------------------------------------------------------- pools_look.c */
/* Where the blocks of a page are. */
struct pools_survey {
    uint32_t unit;
    uint32_t size_class;
    uint32_t live;
    uint32_t free_count;
    uint32_t cached_count; /* in a stack or an outbox */
    uint64_t free[POOLS_WORDS];
    uint64_t cached[POOLS_WORDS];
};

enum pools_what { POOLS_CLEAN, POOLS_DIRTY, POOLS_PAGE, POOLS_RUN };

/* The page must begin at unit. Locked; so is the next function. */
void pools_survey_page(const struct pools_heap *heap, uint32_t unit, struct pools_survey *survey);
/* What begins at unit; returns the unit after it. */
uint32_t pools_walk_next(const struct pools_heap *heap, uint32_t unit, enum pools_what *what);

static inline struct pools_local *pools_owner_of(const struct pools_heap *heap, uint32_t tag)
{
    return &heap->locals[(tag >> POOLS_TAG_BITS) - 1];
}

#endif
