#include "allocators/pools/pools.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "allocators/heap_os.h"
#include "allocators/pools/pools_internal.h"

/* The address space of one mapping. Each part begins at a multiple of a system page. */
struct pools_layout {
    size_t tags;
    size_t used;
    size_t dirty;
    size_t arena_held;
    size_t huge;
    size_t locals;
    size_t pages;
    size_t units;
    size_t end;
};

enum {
    POOLS_RESERVE_MIB_MIN = 16,
    POOLS_KEPT_RUN_UNITS = 3, /* less than 128 KiB, glibc's threshold when a program begins */
};

#define POOLS_ARENA_BYTES ((size_t)POOLS_ARENA_UNITS << POOLS_UNIT_SHIFT)

static_assert(POOLS_RESERVE_MIB >= POOLS_RESERVE_MIB_MIN, "no room for an arena or two");
static_assert(POOLS_WORDS * 64 * POOLS_GRANULE == POOLS_UNIT_BYTES, "the smallest blocks fit");

static struct pools_layout pools_layout_of(size_t units)
{
    struct pools_layout layout = {0};
    size_t at = 0;
#define POOLS_PLACE(part, bytes)                                                                   \
    layout.part = at;                                                                              \
    at += heap_round_up(bytes, POOLS_SYSTEM_PAGE)
    POOLS_PLACE(tags, units * sizeof(uint32_t));
    POOLS_PLACE(used, units / 8);
    POOLS_PLACE(dirty, units / 8);
    POOLS_PLACE(arena_held, units / POOLS_ARENA_UNITS * sizeof(uint16_t));
    POOLS_PLACE(huge, units / POOLS_ARENA_UNITS / 8 + sizeof(uint64_t));
    POOLS_PLACE(locals, POOLS_LOCALS * sizeof(struct pools_local));
    POOLS_PLACE(pages, units * sizeof(struct pools_page));
    POOLS_PLACE(units, units * POOLS_UNIT_BYTES + POOLS_ARENA_BYTES); /* to be aligned */
#undef POOLS_PLACE
    layout.end = at;
    return layout;
}

/* Reserves address space: half as much after each refusal of the system. */
static bool pools_reserve(struct pools_heap *heap)
{
    struct pools_layout layout = {0};
    for (size_t mib = POOLS_RESERVE_MIB; heap->mapping == NULL; mib /= 2) {
        if (mib < POOLS_RESERVE_MIB_MIN) {
            return false;
        }
        heap->units = (uint32_t)((mib << 20) / POOLS_UNIT_BYTES);
        layout = pools_layout_of(heap->units);
        heap->mapping = heap->os.map(heap->os.context, layout.end);
    }
    unsigned char *at = heap->mapping;
    heap->mapping_bytes = layout.end;
    heap->tags = (uint32_t *)(void *)(at + layout.tags);
    heap->used = (uint64_t *)(void *)(at + layout.used);
    heap->dirty = (uint64_t *)(void *)(at + layout.dirty);
    heap->arena_held = (uint16_t *)(void *)(at + layout.arena_held);
    heap->huge = (uint64_t *)(void *)(at + layout.huge);
    heap->locals = (struct pools_local *)(void *)(at + layout.locals);
    heap->pages = (struct pools_page *)(void *)(at + layout.pages);
    heap->base = at + layout.units;
    heap->base += -(uintptr_t)heap->base % POOLS_ARENA_BYTES;
    return true;
}

/* Random bytes of the kernel; a constant if the memory is not the system's, for tests. */
static uint64_t pools_secret(const struct pools_heap *heap)
{
    uint64_t secret = 0;
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random != NULL && heap->os_is_own) {
        memcpy(&secret, random, sizeof(secret));
    }
    return (secret ^ heap->id) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

enum status pools_open(struct pools_heap *heap, const struct heap_options *options,
                       struct error *error)
{
    static uint64_t openings;
    memset(heap, 0, sizeof(*heap));
    heap->id = __atomic_add_fetch(&openings, 1, __ATOMIC_RELAXED);
    heap->os = heap_os_resolve(options == NULL ? NULL : &options->os);
    heap->os_is_own = options == NULL || options->os.map == NULL;
    heap->secret = pools_secret(heap);
    heap->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    heap->kept_run_units = POOLS_KEPT_RUN_UNITS;
    pools_classes_fill(heap->class_of, heap->classes);
    if (!pools_reserve(heap)) {
        return error_set(error, STATUS_NO_MEMORY,
                         "the system refuses %d MiB of address space: lift ulimit -v",
                         POOLS_RESERVE_MIB_MIN);
    }
    if (heap->os_is_own) { /* a small heap has not earned huge pages, where all may have them */
        (void)madvise(heap->mapping, heap->mapping_bytes, MADV_NOHUGEPAGE);
    }
    return STATUS_OK;
}

void pools_close(struct pools_heap *heap)
{
    if (heap->mapping != NULL) {
        for (uint32_t unit = 0; POOLS_GUARD && unit < heap->top; unit++) {
            if (heap->tags[unit] == POOLS_TAG_RUN) {
                pools_guard(heap, unit, false); /* the memory may be used again by who gave it */
            }
        }
        POOLS_UNPOISON(heap->base, (size_t)heap->top << POOLS_UNIT_SHIFT);
        heap->os.unmap(heap->os.context, heap->mapping, heap->mapping_bytes);
    }
    if (pools_mine.id == heap->id) {
        pools_mine = (struct pools_mine){0, &pools_nobody};
    }
    memset(heap, 0, sizeof(*heap));
}

/* Releases what the calling thread keeps, what ended threads left, and all free units. */
void pools_trim(struct pools_heap *heap)
{
    struct pools_local *local = pools_local_get(heap);
    if (local != NULL) {
        pools_delay_end(heap, local);
        pools_outbox_deliver(heap, local);
        pools_mail_read(heap, local, false);
        pools_local_flush(heap, local);
    }
    pools_lock(heap);
    for (uint32_t i = 0; i < heap->local_count; i++) {
        if (heap->locals[i].token == NULL) {
            pools_mail_read(heap, &heap->locals[i], true);
        }
    }
    pools_units_purge(heap, heap->dirty_units);
    pools_unlock(heap);
}
