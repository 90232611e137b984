#include "allocators/null.h"

#include <assert.h>
#include <stdio.h>

#include "allocators/heap_os.h"

enum {
    NULL_WINDOW_BYTES_DEFAULT = 64 << 20,
    NULL_RING_BYTES_MIN = 1 << 20,
    NULL_SETUP_SPAN_BYTES = 4 << 20,
    NULL_HEADER_BYTES = 64, /* a cache line: the header is never in a block's way */
    NULL_PAGE_BYTES = 4096,
};

/* The first bytes of each mapping. */
struct null_span {
    struct null_span *next;
    size_t bytes; /* of the mapping, this header included */
};

static_assert(sizeof(struct null_span) <= NULL_HEADER_BYTES,
              "the header fits before the first block");
static_assert(NULL_HEADER_BYTES % NULL_ALIGNMENT == 0, "the first block is aligned");

/* Maps a span for payload bytes (at most SIZE_MAX / 2) and files it. NULL: refused. */
static struct null_span *null_add_span(struct null_heap *heap, size_t payload)
{
    size_t bytes = heap_round_up(payload + NULL_HEADER_BYTES, NULL_PAGE_BYTES);
    struct null_span *span = heap->os.map(heap->os.context, bytes);
    if (span == NULL) {
        return NULL;
    }
    *span = (struct null_span){.next = heap->spans, .bytes = bytes};
    heap->spans = span;
    heap->span_count++;
    heap->held_bytes += bytes;
    return span;
}

/* A ring for payload bytes, all its pages present. NULL: refused. */
static struct null_span *null_add_ring(struct null_heap *heap, size_t payload)
{
    struct null_span *ring = null_add_span(heap, payload);
    if (ring != NULL) {
        for (size_t at = NULL_PAGE_BYTES; at < ring->bytes; at += NULL_PAGE_BYTES) {
            ((volatile char *)ring)[at] = 0;
        }
    }
    return ring;
}

static void null_enter(struct null_heap *heap, struct null_span *span)
{
    heap->next = (char *)span + NULL_HEADER_BYTES;
    heap->end = (char *)span + span->bytes;
}

/* The power of two that holds twice the window; 0 when there is none. */
static size_t null_ring_bytes(size_t window_bytes)
{
    if (window_bytes > SIZE_MAX / 8) {
        return 0;
    }
    size_t bytes = NULL_RING_BYTES_MIN;
    while (bytes < 2 * window_bytes) {
        bytes *= 2;
    }
    return bytes;
}

enum status null_open(struct null_heap *heap, const struct heap_options *options,
                      struct error *error)
{
    size_t window = options == NULL ? 0 : options->window_bytes;
    size_t ring_bytes = null_ring_bytes(window == 0 ? NULL_WINDOW_BYTES_DEFAULT : window);
    if (ring_bytes == 0) {
        return error_set(error, STATUS_INVALID, "a window of %zu bytes cannot be mapped", window);
    }
    *heap = (struct null_heap){.os = heap_os_resolve(options == NULL ? NULL : &options->os)};
    heap->ring = null_add_ring(heap, ring_bytes);
    if (heap->ring == NULL) {
        return error_set(
            error, STATUS_NO_MEMORY,
            "the system refused %zu MiB for the ring of null; choose a workload with a "
            "smaller live set",
            ring_bytes >> 20);
    }
    return STATUS_OK;
}

void null_close(struct null_heap *heap)
{
    while (heap->spans != NULL) {
        struct null_span *span = heap->spans;
        heap->spans = span->next;
        heap->os.unmap(heap->os.context, span, span->bytes);
    }
    *heap = (struct null_heap){0};
}

void null_begin_run(struct null_heap *heap)
{
    if (!heap->running) {
        heap->running = true;
        null_enter(heap, heap->ring);
    }
}

void *null_alloc_slowly(struct null_heap *heap, size_t size)
{
    heap_slow_mark();
    if (size > SIZE_MAX / 4) {
        return NULL;
    }
    struct null_span *span = heap->ring;
    if (!heap->running) {
        span = null_add_span(heap, size > NULL_SETUP_SPAN_BYTES ? size : NULL_SETUP_SPAN_BYTES);
    } else if (size > span->bytes - NULL_HEADER_BYTES) {
        /* What lives in the old ring stays there, untouched from now on. */
        span = null_add_ring(heap, null_ring_bytes(size));
    }
    if (span == NULL) {
        return NULL;
    }
    if (heap->running) {
        heap->ring = span;
    }
    null_enter(heap, span);
    return null_alloc(heap, size, HEAP_RAW);
}

void null_trim(struct null_heap *heap)
{
    (void)heap;
}

/* Blocks are not counted: that would be bookkeeping. */
void null_stats(const struct null_heap *heap, struct heap_stats *stats)
{
    *stats = (struct heap_stats){
        .held_bytes = heap->held_bytes,
        .held_bytes_peak = heap->held_bytes,
        .arenas_live = heap->span_count,
        .arenas_mapped = heap->span_count,
    };
}

void null_walk(const struct null_heap *heap, heap_visit *visit, void *context)
{
    size_t ordinal = heap->span_count;
    for (const struct null_span *span = heap->spans; span != NULL; span = span->next) {
        struct heap_region region = {
            .kind = HEAP_REGION_ARENA, .address = span, .bytes = span->bytes, .arena = --ordinal};
        visit(context, &region);
    }
}

size_t null_check(const struct null_heap *heap)
{
    size_t broken = 0;
    size_t held = 0;
    bool inside = heap->next == NULL && heap->end == NULL; /* before the first allocation */
    for (const struct null_span *span = heap->spans; span != NULL; span = span->next) {
        const char *begin = (const char *)span + NULL_HEADER_BYTES;
        const char *end = (const char *)span + span->bytes;
        held += span->bytes;
        inside |= heap->end == end && heap->next >= begin && heap->next <= end;
    }
    if (!inside) {
        fprintf(stderr, "null: next is outside its span\n");
        broken++;
    }
    if (held != heap->held_bytes) {
        fprintf(stderr, "null: spans hold %zu bytes, the books say %zu\n", held, heap->held_bytes);
        broken++;
    }
    return broken;
}
