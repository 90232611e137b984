/* freelist's fast paths. Included by allocators/freelist.h alone, which explains the algorithm. */
#ifndef HEAPMILL_ALLOCATORS_FREELIST_INLINE_H
#define HEAPMILL_ALLOCATORS_FREELIST_INLINE_H

/* A new carved block's last slot, its others being on the list. NULL: no memory. */
__attribute__((noinline)) void *freelist_refill(struct freelist_heap *heap, int list);
/* resize when one of the two sizes is carved and the other is not. */
__attribute__((noinline)) void *freelist_move(struct freelist_heap *heap, void *block,
                                              size_t old_size, size_t new_size,
                                              enum heap_type type);

/* Does block carry the mark of a cached block? freelist.c says how far that can be trusted. */
bool freelist_is_marked(const struct freelist_heap *heap, const void *block);

#ifdef HEAPMILL_CHECKED
/* fatal() unless block is live in this heap, and of the size and type. list is the list that it
 * would go to, or FREELIST_NONE. Linear in the number of carved blocks. */
void freelist_verify_free(const struct freelist_heap *heap, const void *block, size_t size,
                          int list);
#define FREELIST_SET_MARK(block, value) ((block)->mark = (value))
#else
#define freelist_verify_free(heap, block, size, list) ((void)0)
#define FREELIST_SET_MARK(block, value) ((void)0)
#endif

/* Counting an unbounded list costs the fast path two instructions, so it is left to the builds that
 * are not timed; elsewhere stats walks the list. */
#if defined(HEAPMILL_CHECKED) || defined(HEAPMILL_PROBE)
#define FREELIST_COUNTS_ALL 1
#else
#define FREELIST_COUNTS_ALL 0
#endif

/* What only a cached block has at that address, until the key changes. */
static inline uint64_t freelist_mark_of(const struct freelist_heap *heap, const void *block)
{
    return heap->mark_key ^ (uint64_t)(uintptr_t)block;
}

/* How many blocks the list may keep. */
static inline size_t freelist_cap(int list)
{
    switch (list) {
    case FREELIST_INTS:
        return FREELIST_INT_CAP;
    case FREELIST_FLOATS:
        return FREELIST_FLOAT_CAP;
    case FREELIST_LISTS:
        return FREELIST_LIST_CAP;
    case FREELIST_DICTS:
        return FREELIST_DICT_CAP;
    default:
        return FREELIST_TUPLE_CAP;
    }
}

static inline bool freelist_is_carved(int list)
{
    return (list == FREELIST_INTS && FREELIST_CARVES_INTS) ||
           (list == FREELIST_FLOATS && FREELIST_CARVES_FLOATS);
}

static inline bool freelist_is_counted(int list)
{
    return FREELIST_COUNTS_ALL || freelist_cap(list) != SIZE_MAX;
}

/* The list of blocks of that size and type, whatever its cap. */
static inline int freelist_list_by_type(size_t size, enum heap_type type)
{
    switch (type) {
    case HEAP_INT:
        return size == HEAP_INT_BYTES ? FREELIST_INTS : FREELIST_NONE;
    case HEAP_FLOAT:
        return size == HEAP_FLOAT_BYTES ? FREELIST_FLOATS : FREELIST_NONE;
    case HEAP_LIST:
        return size == HEAP_LIST_BYTES ? FREELIST_LISTS : FREELIST_NONE;
    case HEAP_DICT:
        return size == HEAP_DICT_BYTES ? FREELIST_DICTS : FREELIST_NONE;
    case HEAP_TUPLE: {
        /* A size below one item's wraps around to a very long tuple. */
        size_t past = size - HEAP_TUPLE_BYTES - 8;
        bool cached = past < 8u * FREELIST_TUPLE_LENGTHS && past % 8 == 0;
        return cached ? FREELIST_TUPLES + (int)(past / 8) : FREELIST_NONE;
    }
    default:
        return FREELIST_NONE;
    }
}

/* The list that serves blocks of that size and type; FREELIST_NONE: UNDER does. */
static inline int freelist_list_of(size_t size, enum heap_type type)
{
    int list = freelist_list_by_type(size, type);
    return freelist_cap(list) == 0 ? FREELIST_NONE : list;
}

/* NULL: the list is empty. */
static inline void *freelist_pop(struct freelist_heap *heap, int list)
{
    struct freelist_link *block = heap->lists[list].head;
    if (__builtin_expect(block != NULL, true)) {
        heap->lists[list].head = block->next;
        if (freelist_is_counted(list)) {
            heap->lists[list].count--;
        }
        FREELIST_SET_MARK(block, 0);
    }
    return block;
}

/* false: the list is full. */
static inline bool freelist_push(struct freelist_heap *heap, int list, void *address)
{
    struct freelist_link *block = address;
    if (freelist_is_counted(list)) {
        if (freelist_cap(list) != SIZE_MAX && heap->lists[list].count >= freelist_cap(list)) {
            return false;
        }
        heap->lists[list].count++;
    }
    block->next = heap->lists[list].head;
    heap->lists[list].head = block;
    FREELIST_SET_MARK(block, freelist_mark_of(heap, block));
    return true;
}

static inline void *freelist_alloc(struct freelist_heap *heap, size_t size, enum heap_type type)
{
    int list = freelist_list_of(size, type);
    if (list != FREELIST_NONE) {
        void *block = freelist_pop(heap, list);
        if (__builtin_expect(block != NULL, true)) {
            return block;
        }
        if (freelist_is_carved(list)) {
            return freelist_refill(heap, list);
        }
    }
    return FREELIST_BELOW(alloc)(&heap->under, size, type);
}

static inline void freelist_free(struct freelist_heap *heap, void *block, size_t size,
                                 enum heap_type type)
{
    int list = freelist_list_of(size, type);
    freelist_verify_free(heap, block, size, list);
    if (list == FREELIST_NONE || !freelist_push(heap, list, block)) {
        FREELIST_BELOW(free)(&heap->under, block, size, type);
    }
}

static inline void *freelist_resize(struct freelist_heap *heap, void *block, size_t old_size,
                                    size_t new_size, enum heap_type type)
{
    int from = freelist_list_of(old_size, type);
    int to = freelist_list_of(new_size, type);
    freelist_verify_free(heap, block, old_size, from);
    if (old_size == new_size) {
        return block;
    }
    if (freelist_is_carved(from) || freelist_is_carved(to)) {
        return freelist_move(heap, block, old_size, new_size, type);
    }
    return FREELIST_BELOW(resize)(&heap->under, block, old_size, new_size, type);
}

static inline void freelist_free_unsized(struct freelist_heap *heap, void *block)
{
    (void)heap;
    (void)block;
    fatal(HEAP_FATAL_UNSIZED);
}

static inline size_t freelist_usable_size(const struct freelist_heap *heap, const void *block,
                                          size_t size)
{
    if (FREELIST_CARVES && size == FREELIST_SLOT_BYTES &&
        !FREELIST_BELOW(owns)(&heap->under, block)) {
        return size;
    }
    return FREELIST_BELOW(usable_size)(&heap->under, block, size);
}

static inline void freelist_begin_run(struct freelist_heap *heap)
{
    (void)heap;
}

#endif
