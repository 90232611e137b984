/* Plants leaks in a back end and ends with the heap open, for detectors outside of the process:
 *   leak_planting KIND SEED
 * Blocks that leak are asked for by plant_lost, all others by plant_live: so a detector's answer
 * can be told right or wrong by its call sites. Prints the truth: lost blocks and their bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/backend.h"
#include "common/rng.h"

enum { PLANT_LIVE = 300, PLANT_LOST_EACH = 10, PLANT_BYTES_MIN = 32, PLANT_LARGE_BYTES = 4000 };

struct plant_node {
    struct plant_node *next;
    void *other;
};

static struct heap plant_heap;
static struct plant_node *volatile plant_root; /* all that lives hangs on it */
static uint64_t plant_lost_blocks, plant_lost_bytes;

__attribute__((noinline)) static void *plant_live(size_t size)
{
    void *block = heap_alloc(&plant_heap, size, HEAP_RAW);
    return block == NULL ? NULL : memset(block, 0, size);
}

__attribute__((noinline)) static void *plant_lost(size_t size)
{
    void *block = heap_alloc(&plant_heap, size, HEAP_RAW);
    plant_lost_blocks++;
    plant_lost_bytes += size;
    return block == NULL ? NULL : memset(block, 0, size);
}

static size_t plant_size(struct rng *rng)
{
    return PLANT_BYTES_MIN + rng_below(rng, 400);
}

static void plant_link(struct plant_node *node)
{
    node->next = plant_root;
    plant_root = node;
}

/* Nothing points at it. */
static void plant_kind_lost(struct rng *rng)
{
    (void)plant_lost(plant_size(rng));
}

/* Two that point at each other. */
static void plant_kind_cycle(struct rng *rng)
{
    struct plant_node *first = plant_lost(plant_size(rng));
    struct plant_node *second = plant_lost(plant_size(rng));
    first->other = second;
    second->other = first;
}

/* A freed block still holds the only pointer to it. */
static void plant_kind_stale(struct rng *rng)
{
    size_t size = plant_size(rng);
    struct plant_node *holder = plant_live(size);
    holder->other = plant_lost(plant_size(rng));
    heap_free(&plant_heap, holder, size, HEAP_RAW);
}

/* Larger than a pool's blocks: malloc's own under every back end. */
static void plant_kind_large(struct rng *rng)
{
    (void)plant_lost(PLANT_LARGE_BYTES + rng_below(rng, 1000));
}

/* Clean: a large block that only a small one points at. */
static void plant_kind_held(struct rng *rng)
{
    struct plant_node *holder = plant_live(plant_size(rng));
    holder->other = plant_live(PLANT_LARGE_BYTES);
    plant_link(holder);
}

/* Clean: pointed at behind a header of 16 bytes, as a collector's objects are. */
static void plant_kind_header(struct rng *rng)
{
    struct plant_node *holder = plant_live(plant_size(rng));
    holder->other = (char *)plant_live(plant_size(rng)) + 16;
    plant_link(holder);
}

/* Clean: freed again. */
static void plant_kind_churn(struct rng *rng)
{
    size_t size = plant_size(rng);
    heap_free(&plant_heap, plant_live(size), size, HEAP_RAW);
}

static const struct plant_kind {
    const char *name;
    void (*plant)(struct rng *rng);
} plant_kinds[] = {
    {"lost", plant_kind_lost},   {"cycle", plant_kind_cycle}, {"stale", plant_kind_stale},
    {"large", plant_kind_large}, {"held", plant_kind_held},   {"header", plant_kind_header},
    {"churn", plant_kind_churn},
};

__attribute__((noinline)) static void plant_all(const struct plant_kind *kind, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < PLANT_LIVE; i++) {
        plant_link(plant_live(plant_size(&rng)));
        if (i % (PLANT_LIVE / PLANT_LOST_EACH) == 0) {
            kind->plant(&rng);
        }
    }
}

/* Overwrites what calls left below the stack pointer. */
__attribute__((noinline)) static void plant_wipe(void)
{
    volatile char room[16384];
    memset((char *)room, 0, sizeof(room));
}

int main(int argc, char **argv)
{
    struct error error;
    const struct plant_kind *kind = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof(plant_kinds) / sizeof(plant_kinds[0]); i++) {
        kind = strcmp(argv[1], plant_kinds[i].name) == 0 ? &plant_kinds[i] : kind;
    }
    if (kind == NULL || heap_open(&plant_heap, NULL, &error) != STATUS_OK) {
        (void)fputs("usage: leak_planting lost|cycle|stale|large|held|header|churn SEED\n", stderr);
        return 2;
    }
    plant_all(kind, strtoull(argv[2], NULL, 10));
    plant_wipe();
    /* LeakSanitizer ends the process before standard output is flushed. */
    (void)printf("{\"lost_blocks\": %llu, \"lost_bytes\": %llu}\n",
                 (unsigned long long)plant_lost_blocks, (unsigned long long)plant_lost_bytes);
    return fflush(stdout) == 0 ? 0 : 2;
}
