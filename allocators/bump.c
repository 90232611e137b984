#include "allocators/bump.h"

#include <assert.h>
#include <stdio.h>

#include "allocators/heap_os.h"

#define BUMP_LIMIT_BYTES ((size_t)(BUMP_LIMIT_MIB) << 20)
#define BUMP_PAGE_BYTES ((size_t)4096)

static_assert((BUMP_LIMIT_MIB) > 0, "a bump heap of nothing serves nobody");

enum status bump_open(struct bump_heap *heap, const struct heap_options *options,
                      struct error *error)
{
    *heap = (struct bump_heap){.os = heap_os_resolve(options == NULL ? NULL : &options->os)};
    heap->begin = heap->os.map(heap->os.context, BUMP_LIMIT_BYTES);
    if (heap->begin == NULL) {
        return error_set(error, STATUS_NO_MEMORY,
                         "the system refused %zu MiB of address space for bump; allow overcommit "
                         "(vm.overcommit_memory 0 or 1, ulimit -v unlimited) or leave bump out",
                         BUMP_LIMIT_BYTES >> 20);
    }
    heap->next = heap->begin;
    heap->end = heap->begin + BUMP_LIMIT_BYTES;
    return STATUS_OK;
}

void bump_close(struct bump_heap *heap)
{
    heap->os.unmap(heap->os.context, heap->begin, BUMP_LIMIT_BYTES);
    *heap = (struct bump_heap){0};
}

void bump_trim(struct bump_heap *heap)
{
    (void)heap;
}

/* Held is what has been handed out, in pages: the rest of the mapping is only reserved. Blocks are
 * not counted. */
void bump_stats(const struct bump_heap *heap, struct heap_stats *stats)
{
    size_t held = heap_round_up((size_t)(heap->next - heap->begin), BUMP_PAGE_BYTES);
    *stats = (struct heap_stats){
        .held_bytes = held, .held_bytes_peak = held, .arenas_live = 1, .arenas_mapped = 1};
}

void bump_walk(const struct bump_heap *heap, heap_visit *visit, void *context)
{
    struct heap_region region = {
        .kind = HEAP_REGION_ARENA, .address = heap->begin, .bytes = BUMP_LIMIT_BYTES};
    visit(context, &region);
}

size_t bump_check(const struct bump_heap *heap)
{
    if (heap->end == heap->begin + BUMP_LIMIT_BYTES && heap->next >= heap->begin &&
        heap->next <= heap->end) {
        return 0;
    }
    fprintf(stderr, "bump: next is outside the mapping\n");
    return 1;
}
