/* pymalloc's slow paths: pools, arenas, and the order in which arenas are used. The names in
 * brackets are those of obmalloc.c. */
#include "allocators/pymalloc_arena.h"

/* ------------------------------------------------------------------ the list of usable arenas */
static void pymalloc_usable_unlink(struct pymalloc_heap *heap, struct pymalloc_arena *arena)
{
    if (arena->previous == NULL) {
        heap->usable_arenas = arena->next;
    } else {
        arena->previous->next = arena->next;
    }
    if (arena->next != NULL) {
        arena->next->previous = arena->previous;
    }
}

/* previous NULL: to the front. */
static void pymalloc_usable_link_after(struct pymalloc_heap *heap, struct pymalloc_arena *previous,
                                       struct pymalloc_arena *arena)
{
    arena->previous = previous;
    arena->next = previous == NULL ? heap->usable_arenas : previous->next;
    if (previous == NULL) {
        heap->usable_arenas = arena;
    } else {
        previous->next = arena;
    }
    if (arena->next != NULL) {
        arena->next->previous = arena;
    }
}

#if PYMALLOC_ORDER == PYMALLOC_ORDER_FINGERS
/* The arena is about to have one free pool less; it is the first of the list. */
static void pymalloc_finger_before_take(struct pymalloc_heap *heap, struct pymalloc_arena *arena)
{
    if (heap->fingers[arena->pools_free] == arena) {
        heap->fingers[arena->pools_free] = NULL;
    }
    if (arena->pools_free > 1) {
        /* Nobody had fewer, so it is the only one with that many. */
        heap->fingers[arena->pools_free - 1] = arena;
    }
}

/* The arena is about to have one free pool more. Returns the last arena with as many as it has now,
 * itself included; NULL when it has none and is in no list. */
static struct pymalloc_arena *pymalloc_finger_before_give(struct pymalloc_heap *heap,
                                                          struct pymalloc_arena *arena)
{
    uint16_t count = arena->pools_free;
    struct pymalloc_arena *last = heap->fingers[count];
    if (last == arena) {
        struct pymalloc_arena *previous = arena->previous;
        bool has_peer = previous != NULL && previous->pools_free == count;
        heap->fingers[count] = has_peer ? previous : NULL;
    }
    return last;
}

static void pymalloc_finger_after_give(struct pymalloc_heap *heap, struct pymalloc_arena *arena)
{
    if (heap->fingers[arena->pools_free] == NULL) {
        heap->fingers[arena->pools_free] = arena;
    }
}

/* The arena has one free pool more than when it was in its place: behind the last of those that
 * have as many as it had. [insert_to_freepool, 3.8] */
static void pymalloc_usable_restore_order(struct pymalloc_heap *heap, struct pymalloc_arena *arena,
                                          struct pymalloc_arena *last)
{
    if (arena == last) {
        return;
    }
    pymalloc_usable_unlink(heap, arena);
    pymalloc_usable_link_after(heap, last, arena);
}
#else
#define pymalloc_finger_before_take(heap, arena) ((void)0)
#define pymalloc_finger_before_give(heap, arena) NULL
#define pymalloc_finger_after_give(heap, arena) ((void)0)

/* As above, by walking the list: time linear in the arenas, for each pool that empties, and so
 * quadratic where many do (bpo-37029). [PyObject_Free, 2.5 to 3.7] */
static void pymalloc_usable_restore_order(struct pymalloc_heap *heap, struct pymalloc_arena *arena,
                                          struct pymalloc_arena *last)
{
    (void)last;
    struct pymalloc_arena *previous = arena->next;
    if (previous == NULL || arena->pools_free <= previous->pools_free) {
        return;
    }
    pymalloc_usable_unlink(heap, arena);
    while (previous->next != NULL && arena->pools_free > previous->next->pools_free) {
        previous = previous->next;
    }
    pymalloc_usable_link_after(heap, previous, arena);
}
#endif

/* ------------------------------------------------------------------ arenas */
/* Doubles the table of arenas. It moves, but only when no slot is usable or unused, so that nothing
 * points into it: pools know their arena by its index. */
static bool pymalloc_arena_grow_table(struct pymalloc_heap *heap)
{
    assert(heap->usable_arenas == NULL && heap->unused_slots == NULL);
    uint32_t old_slots = heap->arena_slots;
    uint32_t slots = old_slots == 0 ? PYMALLOC_ARENA_SLOTS_INITIAL : old_slots * 2;
    if (slots <= old_slots) {
        return false;
    }
    size_t bytes = slots * sizeof(struct pymalloc_arena);
    struct pymalloc_arena *arenas = heap->arenas == NULL
                                        ? heap->os.alloc(heap->os.context, bytes)
                                        : heap->os.resize(heap->os.context, heap->arenas, bytes);
    if (arenas == NULL) {
        return false;
    }
    heap->table_bytes += (slots - old_slots) * sizeof(struct pymalloc_arena);
    pymalloc_note_held(heap);
    for (uint32_t i = old_slots; i < slots; i++) {
        arenas[i] = (struct pymalloc_arena){.next = i + 1 < slots ? &arenas[i + 1] : NULL};
    }
    heap->arenas = arenas;
    heap->arena_slots = slots;
    heap->unused_slots = &arenas[old_slots];
    return true;
}

/* Maps an arena into the first unused slot; NULL when memory is refused. [new_arena] */
static struct pymalloc_arena *pymalloc_arena_map(struct pymalloc_heap *heap)
{
    if (heap->unused_slots == NULL && !pymalloc_arena_grow_table(heap)) {
        return NULL;
    }
    void *address = heap->os.map(heap->os.context, PYMALLOC_ARENA_BYTES);
    if (address == NULL) {
        return NULL;
    }
    if (!pymalloc_radix_enter(heap, (uintptr_t)address)) {
        heap->os.unmap(heap->os.context, address, PYMALLOC_ARENA_BYTES);
        return NULL;
    }
    struct pymalloc_arena *arena = heap->unused_slots;
    heap->unused_slots = arena->next;
    *arena = (struct pymalloc_arena){.address = (uintptr_t)address,
                                     .ordinal = (uint32_t)heap->arenas_mapped};
    arena->pool_next = pymalloc_arena_first_pool(arena);
    bool aligned = arena->pool_next == (unsigned char *)address;
    arena->pools_total = (uint16_t)(PYMALLOC_POOLS_MAX - (aligned ? 0 : 1));
    arena->pools_free = arena->pools_total;
    heap->arenas_live++;
    heap->arenas_mapped++;
    pymalloc_note_held(heap);
    return arena;
}

void pymalloc_arena_unmap(struct pymalloc_heap *heap, struct pymalloc_arena *arena)
{
    PYMALLOC_UNPOISON((void *)arena->address, PYMALLOC_ARENA_BYTES);
    pymalloc_radix_forget(heap, arena->address);
    heap->os.unmap(heap->os.context, (void *)arena->address, PYMALLOC_ARENA_BYTES);
    arena->address = 0;
    arena->next = heap->unused_slots;
    heap->unused_slots = arena;
    heap->arenas_live--;
    heap->arenas_unmapped++;
}

/* ------------------------------------------------------------------ pools */
/* A pool that is in no list: one that was freed in the fullest usable arena, else the next one that
 * was never carved. NULL: no memory. */
static struct pymalloc_pool *pymalloc_arena_take_pool(struct pymalloc_heap *heap)
{
    struct pymalloc_arena *arena = heap->usable_arenas;
    if (arena == NULL) {
        arena = pymalloc_arena_map(heap);
        if (arena == NULL) {
            return NULL;
        }
        pymalloc_usable_link_after(heap, NULL, arena);
        pymalloc_finger_after_give(heap, arena);
    }
    pymalloc_finger_before_take(heap, arena);
    arena->pools_free--;
    if (arena->pools_free == 0) {
        pymalloc_usable_unlink(heap, arena);
    }
    if (arena->free_pools != NULL) {
        struct pymalloc_pool *freed = pymalloc_pool_of_link(arena->free_pools);
        arena->free_pools = freed->link.next;
        return freed;
    }
    struct pymalloc_pool *fresh = (struct pymalloc_pool *)(void *)arena->pool_next;
    arena->pool_next += PYMALLOC_POOL_BYTES;
    fresh->arena_index = (uint32_t)(arena - heap->arenas);
    fresh->size_class = PYMALLOC_CLASS_NONE;
    return fresh;
}

/* Prepares the pool for a class that it did not serve last: its list holds the first block alone.
 */
static void pymalloc_pool_begin_class(struct pymalloc_pool *pool, uint32_t size_class)
{
    uint32_t bytes = (uint32_t)pymalloc_class_bytes(size_class);
    unsigned char *base = (unsigned char *)pool;
    pool->size_class = size_class;
    pool->free_block = base + PYMALLOC_POOL_OVERHEAD;
    pool->offset_next = (uint32_t)PYMALLOC_POOL_OVERHEAD + bytes;
    pool->offset_last = (uint32_t)PYMALLOC_POOL_BYTES - bytes;
    PYMALLOC_POISON(base + PYMALLOC_POOL_OVERHEAD, PYMALLOC_POOL_BYTES - PYMALLOC_POOL_OVERHEAD);
    pymalloc_word_write(pool->free_block, NULL);
}

/* [allocate_from_new_pool] */
void *pymalloc_alloc_from_new_pool(struct pymalloc_heap *heap, uint32_t size_class)
{
    heap_slow_mark();
    struct pymalloc_pool *pool = pymalloc_arena_take_pool(heap);
    if (pool == NULL) {
        return NULL;
    }
    /* A pool that served the class before still has its list of blocks. */
    if (pool->size_class != size_class) {
        pymalloc_pool_begin_class(pool, size_class);
    }
    struct pymalloc_link *head = &heap->partial[size_class];
    pool->link = (struct pymalloc_link){.next = head, .previous = head};
    head->next = &pool->link;
    head->previous = &pool->link;
    void *block = pool->free_block;
    pool->live = 1;
    pool->free_block = pymalloc_word_read(block);
    if (pool->free_block == NULL) {
        pymalloc_pool_extend(pool);
    }
    return block;
}

static void pymalloc_pool_unlink(struct pymalloc_pool *pool)
{
    pool->link.previous->next = pool->link.next;
    pool->link.next->previous = pool->link.previous;
}

void pymalloc_pool_extend(struct pymalloc_pool *pool)
{
    heap_slow_mark();
    if (pool->offset_next > pool->offset_last) {
        pymalloc_pool_unlink(pool);
        return;
    }
    pool->free_block = (unsigned char *)pool + pool->offset_next;
    pool->offset_next += (uint32_t)pymalloc_class_bytes(pool->size_class);
    pymalloc_word_write(pool->free_block, NULL);
}

/* [insert_to_usedpool] */
void pymalloc_pool_relink(struct pymalloc_heap *heap, struct pymalloc_pool *pool)
{
    heap_slow_mark();
    struct pymalloc_link *head = &heap->partial[pool->size_class];
    pool->link = (struct pymalloc_link){.next = head->next, .previous = head};
    head->next->previous = &pool->link;
    head->next = &pool->link;
}

/* [insert_to_freepool] */
void pymalloc_pool_release(struct pymalloc_heap *heap, struct pymalloc_pool *pool)
{
    heap_slow_mark();
    pymalloc_pool_unlink(pool);
    struct pymalloc_arena *arena = &heap->arenas[pool->arena_index];
    pool->link.next = arena->free_pools;
    arena->free_pools = &pool->link;
    struct pymalloc_arena *last = pymalloc_finger_before_give(heap, arena);
    arena->pools_free++;
    bool is_empty = arena->pools_free == arena->pools_total;
    if (is_empty && (arena->next != NULL || !PYMALLOC_KEEP_LAST_ARENA)) {
        pymalloc_usable_unlink(heap, arena);
        pymalloc_arena_unmap(heap, arena);
        return;
    }
    if (arena->pools_free == 1) {
        pymalloc_usable_link_after(heap, NULL, arena);
        pymalloc_finger_after_give(heap, arena);
        return;
    }
    pymalloc_finger_after_give(heap, arena);
    pymalloc_usable_restore_order(heap, arena, last);
}
