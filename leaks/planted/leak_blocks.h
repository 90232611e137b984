/* The books of raw blocks by call site: what gc/ledger.h is for objects. Only in builds with
 * HEAPMILL_LEDGER; in others the calls are nothing. One thread at a time. */
#ifndef HEAPMILL_LEAKS_PLANTED_LEAK_BLOCKS_H
#define HEAPMILL_LEAKS_PLANTED_LEAK_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef HEAPMILL_LEDGER

struct leak_block {
    void *address; /* NULL: an empty slot */
    size_t bytes;
    const char *file;
    int line;
    bool reached;
};

void leak_blocks_birth(void *block, size_t bytes, const char *file, int line);
void leak_blocks_death(const void *block);

/* Marks every block that a word of the region, or of a block so marked, points into; then calls
 * visit for each that is not marked. Conservative, as any scan of untyped memory: a number may look
 * like a pointer and hide a leak, but nothing reachable is ever reported. false: memory was
 * refused. */
typedef void leak_blocks_visit(const struct leak_block *block, void *context);
bool leak_blocks_find_lost(void *const *roots, size_t root_count, leak_blocks_visit *visit,
                           void *context);

#else

static inline void leak_blocks_birth(void *block, size_t bytes, const char *file, int line)
{
    (void)block;
    (void)bytes;
    (void)file;
    (void)line;
}
static inline void leak_blocks_death(const void *block)
{
    (void)block;
}

#endif
#endif
