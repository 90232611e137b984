/* Threads of `pools`: their locals, frees of other threads' blocks, their end, and fork. */
#include "allocators/pools/pools_internal.h"

/* For empty and closed stacks. */
static void *pools_nothing;
#define POOLS_NOTHING_8                                                                            \
    {&pools_nothing, &pools_nothing}, {&pools_nothing, &pools_nothing},                            \
        {&pools_nothing, &pools_nothing}, {&pools_nothing, &pools_nothing},                        \
        {&pools_nothing, &pools_nothing}, {&pools_nothing, &pools_nothing},                        \
        {&pools_nothing, &pools_nothing}, {&pools_nothing, &pools_nothing},
struct pools_local pools_nobody = {
    .tag = POOLS_NOBODY,
    .stacks = {POOLS_NOTHING_8 POOLS_NOTHING_8 POOLS_NOTHING_8 POOLS_NOTHING_8 POOLS_NOTHING_8
                   POOLS_NOTHING_8 POOLS_NOTHING_8 POOLS_NOTHING_8 POOLS_NOTHING_8},
};
_Thread_local struct pools_mine pools_mine = {0, &pools_nobody};

/* ---------------------------------------------------------------- locals */
static void pools_bins_reset(const struct pools_heap *heap, struct pools_local *local)
{
    for (uint32_t i = 0; i < POOLS_CLASSES; i++) {
        local->bins[i] = (struct pools_bin){POOLS_NONE, POOLS_NONE, POOLS_NONE};
        void **bottom = pools_stack_bottom(heap, local, i);
        *bottom = NULL;
        local->stacks[i].top = bottom;
        local->is_mixed[i] = false;
    }
    pools_stacks_open(heap, local, true);
    local->outbox_count = 0;
    local->attends = false;
#if POOLS_DELAY
    for (uint32_t i = 0; i < POOLS_DELAY; i++) {
        local->delayed[i] = NULL;
    }
#endif
#if POOLS_DELAY || POOLS_RANDOM
    local->lots = heap->secret + local->tag;
#endif
}

/* A number of the thread. Live threads have different tokens. A later thread may have the token of
 * one that ended without telling; then it continues with its local. */
static const void *pools_token(void)
{
    return &pools_mine;
}

static struct pools_local *pools_local_with(struct pools_heap *heap, const void *token)
{
    for (uint32_t i = 0; i < heap->local_count; i++) {
        if (heap->locals[i].token == token) {
            return &heap->locals[i];
        }
    }
    return NULL;
}

/* Takes the local of an ended thread, or a new one. Locked. */
static struct pools_local *pools_local_begin(struct pools_heap *heap)
{
    struct pools_local *local = heap->orphans > 0 ? pools_local_with(heap, NULL) : NULL;
    if (local != NULL) {
        heap->orphans--;
    } else if (heap->local_count < POOLS_LOCALS) {
        local = &heap->locals[heap->local_count++];
        local->tag = heap->local_count << POOLS_TAG_BITS;
        local->mail = 0;
        pools_bins_reset(heap, local);
    } else {
        return NULL;
    }
    local->token = pools_token();
    return local;
}

struct pools_local *pools_local_get(struct pools_heap *heap)
{
    if (pools_mine.id == heap->id) {
        return pools_mine.local;
    }
    pools_lock(heap);
    struct pools_local *local = pools_local_with(heap, pools_token());
    bool is_new = local == NULL;
    if (is_new) {
        local = pools_local_begin(heap);
    }
    pools_unlock(heap);
    if (local == NULL) {
        return NULL;
    }
    pools_mine = (struct pools_mine){heap->id, local};
    if (is_new && heap->os.thread_begin != NULL) {
        heap->os.thread_begin(heap->os.context);
        /* The thread may have called another heap last. */
        pools_mine = (struct pools_mine){heap->id, local};
    }
    return local;
}

void pools_thread_end(struct pools_heap *heap)
{
    pools_lock(heap);
    struct pools_local *local = pools_local_with(heap, pools_token());
    pools_unlock(heap);
    if (local == NULL) {
        return;
    }
    if (POOLS_DELAY) {
        (void)pools_local_get(heap); /* pools_mine returns the waiting blocks */
    }
    pools_delay_end(heap, local);
    pools_outbox_deliver(heap, local);
    pools_mail_read(heap, local, false);
    pools_local_flush(heap, local);
    if (pools_mine.id == heap->id) {
        pools_mine = (struct pools_mine){0, &pools_nobody};
    }
    pools_lock(heap);
    local->token = NULL;
    heap->orphans++;
    pools_unlock(heap);
}

/* ---------------------------------------------------------------- mail */
/* Is the unit the beginning of a page? An old message may be about a page that is gone. */
static bool pools_is_page(const struct pools_heap *heap, uint32_t unit, uint32_t tag)
{
    uint32_t size_class = tag & ((1u << POOLS_TAG_BITS) - 1);
    return tag >> POOLS_TAG_BITS != 0 && size_class < POOLS_CLASSES &&
           pools_page_unit(heap, unit, size_class) == unit;
}

/* Tells the page's owner that `remote` has blocks, unless the owner was told and has not looked
 * yet: it clears the flag before it looks. A load is enough to find the flag set, because our bit
 * was set before it, and the owner looks after it has cleared the flag; both are in the single
 * order of SEQ_CST.
 *
 * The page may be gone: its owner may have found our bit by itself, and it may have been the last
 * one. Then nobody must be told. If the unit meanwhile becomes a page again, a thread that frees a
 * block of it may have seen our flag and relied on us. So we look once more after we have cleared
 * it. An owner may be told of any page of its own. */
static void pools_mail_send(struct pools_heap *heap, uint32_t unit)
{
    struct pools_page *page = &heap->pages[unit];
    uint32_t tag;
    for (;;) {
        if (__atomic_load_n(&page->is_mailed, __ATOMIC_SEQ_CST) != 0 ||
            __atomic_exchange_n(&page->is_mailed, 1, __ATOMIC_SEQ_CST) != 0) {
            return;
        }
        tag = pools_tag_of(heap, unit);
        if (pools_is_page(heap, unit, tag)) {
            break;
        }
        pools_pause(POOLS_PAUSE_GONE);
        (void)__atomic_exchange_n(&page->is_mailed, 0, __ATOMIC_SEQ_CST);
        if (!pools_is_page(heap, unit, pools_tag_of(heap, unit))) {
            return;
        }
    }
    struct pools_local *owner = pools_owner_of(heap, tag);
    uint32_t head = __atomic_load_n(&owner->mail, __ATOMIC_RELAXED);
    do {
        __atomic_store_n(&page->mail_next, head, __ATOMIC_RELAXED);
    } while (!__atomic_compare_exchange_n(&owner->mail, &head, unit + 1, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

void pools_mail_read(struct pools_heap *heap, struct pools_local *local, bool locked)
{
    if (__atomic_load_n(&local->mail, __ATOMIC_RELAXED) == 0) {
        return;
    }
    uint32_t next = __atomic_exchange_n(&local->mail, 0, __ATOMIC_ACQUIRE);
    while (next != 0) {
        uint32_t unit = next - 1;
        struct pools_page *page = &heap->pages[unit];
        next = __atomic_load_n(&page->mail_next, __ATOMIC_RELAXED);
        (void)__atomic_exchange_n(&page->is_mailed, 0, __ATOMIC_SEQ_CST);
        uint32_t tag = pools_tag_of(heap, unit);
        if (!pools_is_page(heap, unit, tag)) {
            continue;
        }
        if (pools_owner_of(heap, tag) == local) {
            pools_page_harvest(heap, local, unit, locked);
        } else {
            pools_mail_send(heap, unit); /* it has another owner now */
        }
    }
}

/* ---------------------------------------------------------------- other threads' blocks */
struct pools_place {
    uint32_t unit; /* first unit of the page */
    uint32_t word;
    uint64_t bit;
};

static struct pools_place pools_place_of(const struct pools_heap *heap, const void *block)
{
    uint32_t unit = pools_unit_of(heap, block);
    uint32_t size_class = pools_tag_of(heap, unit) & ((1u << POOLS_TAG_BITS) - 1);
    unit = pools_page_unit(heap, unit, size_class);
    uint32_t number = pools_number_of(heap, unit, size_class, block);
    return (struct pools_place){unit, number / 64, (uint64_t)1 << (number % 64)};
}

static void pools_place_deliver(struct pools_heap *heap, const struct pools_place *place)
{
    (void)__atomic_fetch_or(&heap->pages[place->unit].remote[place->word], place->bit,
                            __ATOMIC_SEQ_CST);
    pools_pause(POOLS_PAUSE_SET);
    pools_mail_send(heap, place->unit);
}

/* Returns blocks of one bitmap word together, if not too many others are between them: a consumer
 * gets blocks of many classes, and those of a class in the order in which they were taken. */
void pools_deliver(struct pools_heap *heap, void *const *blocks, uint32_t count)
{
    enum { POOLS_PLACES = 32 };
    struct pools_place places[POOLS_PLACES] = {{0, 0, 0}}; /* bit 0: unused */
    for (uint32_t i = 0; i < count; i++) {
        struct pools_place place = pools_place_of(heap, blocks[i]);
        struct pools_place *at = &places[(5 * place.unit + place.word) % POOLS_PLACES];
        if (at->bit != 0 && (at->unit != place.unit || at->word != place.word)) {
            pools_place_deliver(heap, at);
            at->bit = 0;
        }
        place.bit |= at->bit;
        *at = place;
    }
    for (uint32_t i = 0; i < POOLS_PLACES; i++) {
        if (places[i].bit != 0) {
            pools_place_deliver(heap, &places[i]);
        }
    }
}

void pools_outbox_deliver(struct pools_heap *heap, struct pools_local *local)
{
    pools_deliver(heap, local->outbox, local->outbox_count);
    local->outbox_count = 0;
}

static void pools_stack_push(struct pools_heap *heap, struct pools_local *local,
                             uint32_t size_class, void *block)
{
    struct pools_stack *stack = &local->stacks[size_class];
    if (stack->top < stack->end) {
        *++stack->top = block;
    } else {
        pools_free_to_page(heap, local, size_class, block);
    }
}

/* If no neighbour shares cache lines with a block, a block of another thread's page is as good as
 * the thread's own: only its next owner writes there. Larger classes are multiples of lines. */
void pools_free_other(struct pools_heap *heap, void *block)
{
    heap_slow_mark();
    uint32_t unit = pools_unit_of(heap, block);
    uint32_t tag = pools_tag_of(heap, unit), size_class = tag & ((1u << POOLS_TAG_BITS) - 1);
    if (tag == POOLS_TAG_RUN) {
        pools_free_run(heap, unit);
        return;
    }
    if (tag >> POOLS_TAG_BITS == 0) {
        fatal(tag == POOLS_TAG_FREE ? HEAP_FATAL_DOUBLE_FREE : HEAP_FATAL_NOT_OURS);
    }
    POOLS_POISON(block, heap->classes[size_class].bytes);
    struct pools_local *local = pools_local_get(heap);
    if (local == NULL) {
        pools_deliver(heap, &block, 1);
        return;
    }
    bool is_own = (tag ^ local->tag) == size_class;
    if (is_own || heap->classes[size_class].bytes % POOLS_LINE_BYTES == 0) {
        local->is_mixed[size_class] |= !is_own;
        pools_stack_push(heap, local, size_class, block);
        return;
    }
    local->outbox[local->outbox_count++] = block;
    if (local->outbox_count == POOLS_OUTBOX) {
        pools_outbox_deliver(heap, local);
    }
}

/* ---------------------------------------------------------------- ended threads */
static void pools_page_move(struct pools_heap *heap, struct pools_local *from,
                            struct pools_local *to, uint32_t unit)
{
    uint32_t size_class = heap->pages[unit].size_class;
    pools_bin_remove(heap, &from->bins[size_class], unit);
    for (uint32_t i = 0; i < 1u << heap->classes[size_class].unit_shift; i++) {
        __atomic_store_n(&heap->tags[unit + i], to->tag | size_class, __ATOMIC_RELAXED);
    }
    heap->pages[unit].cursor = 0;
}

uint32_t pools_orphan_page(struct pools_heap *heap, struct pools_local *local, uint32_t size_class)
{
    for (uint32_t i = 0; i < heap->local_count; i++) {
        struct pools_local *orphan = &heap->locals[i];
        if (orphan->token != NULL) {
            continue;
        }
        pools_mail_read(heap, orphan, true);
        uint32_t unit = orphan->bins[size_class].first;
        if (unit != POOLS_NONE) {
            pools_page_move(heap, orphan, local, unit);
            return unit;
        }
    }
    return POOLS_NONE;
}

/* ---------------------------------------------------------------- fork */
/* Called in the child of a fork. The page's owner no longer exists, and was perhaps in the middle
 * of something: nothing in the page counts as free. What the program frees from now on is
 * reused. */
static void pools_page_forget(struct pools_page *page)
{
    page->free_count = 0;
    page->is_listed = false;
    for (uint32_t word = 0; word < page->words; word++) {
        page->free[word] = 0;
    }
}

static void pools_fork_child(struct pools_heap *heap)
{
    heap->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    bool is_lost[POOLS_LOCALS] = {false};
    for (uint32_t i = 0; i < heap->local_count; i++) {
        struct pools_local *local = &heap->locals[i];
        local->mail = 0; /* a message may have been on its way: all pages are examined below */
        is_lost[i] = local->token != NULL && local->token != pools_token();
        if (is_lost[i]) {
            pools_bins_reset(heap, local);
            local->token = NULL;
            heap->orphans++;
        }
    }
    for (uint32_t unit = 0; unit < heap->top; unit++) {
        heap->pages[unit].is_mailed = 0;
    }
    for (uint32_t unit = 0; unit < heap->top; unit++) {
        uint32_t tag = heap->tags[unit];
        if (!pools_is_page(heap, unit, tag)) {
            continue;
        }
        if (is_lost[(tag >> POOLS_TAG_BITS) - 1]) {
            pools_page_forget(&heap->pages[unit]);
        }
        pools_page_harvest(heap, pools_owner_of(heap, tag), unit, true);
    }
}

void pools_fork(struct pools_heap *heap, enum heap_fork phase)
{
    if (phase == HEAP_FORK_PREPARE) {
        pools_lock(heap);
    } else if (phase == HEAP_FORK_PARENT) {
        pools_unlock(heap);
    } else {
        pools_fork_child(heap);
    }
}
