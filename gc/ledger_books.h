/* The ledger's books, and how births and deaths are entered. Internal to gc/. Without
 * HEAPMILL_LEDGER the functions are empty, and struct runtime has no ledger. */
#ifndef HEAPMILL_GC_LEDGER_BOOKS_H
#define HEAPMILL_GC_LEDGER_BOOKS_H

#include "gc/ledger.h"
#include "gc/object.h"

#ifdef HEAPMILL_LEDGER

/* One live object. A table by address, with linear probing; object NULL: a free slot. */
struct ledger_entry {
    const struct object *object;
    uint64_t birth;
    uint32_t row;
    uint32_t bytes;
};

struct ledger {
    struct ledger_entry *entries; /* mapped; a power of two of them */
    size_t entry_capacity;
    size_t entry_count;
    struct ledger_row *rows; /* mapped */
    size_t row_capacity;
    size_t row_count;
    uint32_t *row_slots; /* the index of the rows by site and type, ordinal + 1; 2 * row_capacity */
    uint64_t births;
    bool incomplete; /* memory was refused */
};

/* false: the system refuses memory. */
bool ledger_open(struct runtime *runtime);
void ledger_close(struct runtime *runtime);
void ledger_birth(struct runtime *runtime, const struct object *object, size_t bytes);
void ledger_death(struct runtime *runtime, const struct object *object);
/* The slot of a live object in entries; SIZE_MAX: not recorded. Valid until the next birth or
 * death. */
size_t ledger_slot_of(const struct ledger *ledger, const struct object *object);

#else

static inline bool ledger_open(struct runtime *runtime)
{
    (void)runtime;
    return true;
}
static inline void ledger_close(struct runtime *runtime)
{
    (void)runtime;
}
static inline void ledger_birth(struct runtime *runtime, const struct object *object, size_t bytes)
{
    (void)runtime;
    (void)object;
    (void)bytes;
}
static inline void ledger_death(struct runtime *runtime, const struct object *object)
{
    (void)runtime;
    (void)object;
}

#endif
#endif
