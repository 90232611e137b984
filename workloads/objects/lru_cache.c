/* lru_cache: a full cache in which each miss replaces the entry that was used longest ago.
 *
 * Imitates functools.lru_cache in Python code: a dict from keys to links, and a ring of links
 * (lists of the links before and after, the key and the value) in the order of use. A request
 * boxes its key and looks it up; a hit moves its link to the ring's new end; a miss evicts the
 * oldest link and makes a value (a string of a length that belongs to the key), a link and a dict
 * entry. Deleted entries wear the dict's table out, so that it is rebuilt again and again.
 *
 * Leaves out skew: every key is asked for equally often, so that blocks die in random order of
 * address, and the share of hits is the cache's share of the keys.
 *
 * Stresses the steady state: constant live memory, mixed sizes, no block outstaying the others by
 * much; throughput, and fragmentation that creeps in over time. */
#include "workloads/objects/lru_model.h"

enum { LRU_CACHE_LIVE, LRU_CACHE_UNIVERSE, LRU_CACHE_VALUE };
enum { LRU_CACHE_PREVIOUS, LRU_CACHE_NEXT, LRU_CACHE_KEY, LRU_CACHE_RESULT }; /* items of a link */
enum {
    LRU_CACHE_REQUESTS_PER_ITERATION = 4096,
    LRU_CACHE_LETTERS = 26,
    /* Keys are a step apart and beyond the small ints. */
    LRU_CACHE_NUMBER_MIN = 1000,
    LRU_CACHE_NUMBER_STEP = 31,
};

struct lru_cache_state {
    struct object *links; /* a dict */
    struct object *root;  /* of the ring; the oldest link comes after it, the newest before it */
    struct object *nothing;
    char *letters;
    uint64_t live;
    uint64_t keys;
    uint64_t insertions; /* into the dict, since it was made */
    struct lru_model model;
    struct model_dict dict_model; /* the dict after so many insertions: */
    uint64_t dict_model_insertions;
};

/* ------------------------------------------------------------------ the ring */
static void lru_cache_set(struct runtime *runtime, struct object *link, size_t member,
                          struct object *value)
{
    list_give_item(runtime, link, member, object_incref(value));
}

/* Removes the link from the ring; somebody else must hold a reference to it. */
static void lru_cache_unlink(struct runtime *runtime, struct object *link)
{
    struct object *previous = list_item(link, LRU_CACHE_PREVIOUS);
    struct object *next = list_item(link, LRU_CACHE_NEXT);
    lru_cache_set(runtime, previous, LRU_CACHE_NEXT, next);
    lru_cache_set(runtime, next, LRU_CACHE_PREVIOUS, previous);
}

/* Puts the link before the root, which makes it the newest. */
static void lru_cache_link_newest(struct lru_cache_state *state, struct runtime *runtime,
                                  struct object *link)
{
    struct object *newest = list_item(state->root, LRU_CACHE_PREVIOUS);
    lru_cache_set(runtime, link, LRU_CACHE_PREVIOUS, newest);
    lru_cache_set(runtime, link, LRU_CACHE_NEXT, state->root);
    lru_cache_set(runtime, newest, LRU_CACHE_NEXT, link);
    lru_cache_set(runtime, state->root, LRU_CACHE_PREVIOUS, link);
}

/* Makes a link that is in no ring; returns a new reference, or NULL. Does not take over key and
 * result. */
static struct object *lru_cache_make_link(const struct lru_cache_state *state,
                                          struct runtime *runtime, struct object *key,
                                          struct object *result)
{
    struct object *link = list_new(runtime);
    if (link != NULL && list_append(runtime, link, state->nothing) &&
        list_append(runtime, link, state->nothing) && list_append(runtime, link, key) &&
        list_append(runtime, link, result)) {
        return link;
    }
    object_xdecref(runtime, link);
    return NULL;
}

/* ------------------------------------------------------------------ requests */
static void lru_cache_evict_oldest(struct lru_cache_state *state, struct runtime *runtime)
{
    struct object *oldest = object_incref(list_item(state->root, LRU_CACHE_NEXT));
    (void)dict_delete(runtime, state->links, list_item(oldest, LRU_CACHE_KEY));
    lru_cache_unlink(runtime, oldest);
    object_decref(runtime, oldest);
}

/* Makes the cached value for the key of this index: its length is from half the mean to one and a
 * half times the mean. */
static struct object *lru_cache_compute(const struct run *run, uint64_t index)
{
    const struct lru_cache_state *state = run->state;
    uint64_t mean = run_count(run, LRU_CACHE_VALUE);
    uint64_t length = mean / 2 + ((index * 0x9e3779b9u & 0xffffffffu) * (mean + 1) >> 32);
    return str_new(run->runtime, state->letters + index % LRU_CACHE_LETTERS, length);
}

/* Makes the key's entry. If the cache is full, the oldest entry is evicted. Borrowed; NULL: the
 * heap is exhausted. */
static struct object *lru_cache_miss(struct run *run, struct object *key, uint64_t index)
{
    struct lru_cache_state *state = run->state;
    struct runtime *runtime = run->runtime;
    if (dict_length(state->links) == state->live) {
        lru_cache_evict_oldest(state, runtime);
    }
    struct object *result = lru_cache_compute(run, index);
    struct object *link = NULL;
    if (result != NULL) {
        link = lru_cache_make_link(state, runtime, key, result);
    }
    bool done = link != NULL && dict_set(runtime, state->links, key, link);
    if (done) {
        lru_cache_link_newest(state, runtime, link);
        state->insertions++;
    }
    object_xdecref(runtime, link);
    object_xdecref(runtime, result);
    return done ? link : NULL;
}

/* The link for the key of this index, which is now the newest. Borrowed; NULL: the heap is
 * exhausted. */
static struct object *lru_cache_request(struct run *run, uint64_t index)
{
    struct lru_cache_state *state = run->state;
    struct runtime *runtime = run->runtime;
    struct object *key =
        int_new(runtime, (int64_t)(LRU_CACHE_NUMBER_MIN + index * LRU_CACHE_NUMBER_STEP));
    if (key == NULL) {
        return NULL;
    }
    struct object *link = dict_get(state->links, key);
    if (link != NULL) {
        lru_cache_unlink(runtime, link);
        lru_cache_link_newest(state, runtime, link);
    } else {
        link = lru_cache_miss(run, key, index);
    }
    object_decref(runtime, key);
    return link;
}

/* ------------------------------------------------------------------ the workload */
/* The ring is a cycle: the collector frees it. */
static void lru_cache_teardown(struct run *run)
{
    struct lru_cache_state *state = run->state;
    object_xdecref(run->runtime, state->links);
    object_xdecref(run->runtime, state->root);
    object_xdecref(run->runtime, state->nothing);
    state->links = NULL;
    state->root = NULL;
    state->nothing = NULL;
    gc_collect(run->runtime, GC_GENERATIONS - 1);
}

/* Makes an empty cache. false: the heap is exhausted. */
static bool lru_cache_make(struct run *run)
{
    struct lru_cache_state *state = run->state;
    state->nothing = int_new(run->runtime, 0);
    state->links = dict_new(run->runtime);
    if (state->nothing != NULL && state->links != NULL) {
        state->root = lru_cache_make_link(state, run->runtime, state->nothing, state->nothing);
    }
    if (state->root == NULL) {
        return false;
    }
    lru_cache_set(run->runtime, state->root, LRU_CACHE_PREVIOUS, state->root);
    lru_cache_set(run->runtime, state->root, LRU_CACHE_NEXT, state->root);
    return true;
}

/* Fills the cache, and continues until it has been replaced several times. */
static bool lru_cache_warm(struct run *run)
{
    struct lru_cache_state *state = run->state;
    bool warm = true;
    for (uint64_t i = 0; warm && i < 4 * state->live; i++) {
        uint64_t index = i < state->live ? i : rng_below(&run->rng, state->keys);
        warm = lru_cache_request(run, index) != NULL;
    }
    return warm;
}

static enum status lru_cache_setup(struct run *run, struct error *error)
{
    struct lru_cache_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->live = run_count(run, LRU_CACHE_LIVE);
    state->keys = state->live * run_count(run, LRU_CACHE_UNIVERSE);
    uint64_t letters = 2 * run_count(run, LRU_CACHE_VALUE) + LRU_CACHE_LETTERS;
    state->letters = run_scratch(run, letters);
    for (uint64_t i = 0; i < letters; i++) {
        state->letters[i] = (char)('a' + (int)(i % LRU_CACHE_LETTERS));
    }
    lru_model_open(&state->model, run, state->live, state->keys);
    if (!lru_cache_make(run) || !lru_cache_warm(run)) {
        lru_cache_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static void lru_cache_run(struct run *run, uint64_t iterations)
{
    struct lru_cache_state *state = run->state;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (uint64_t i = 0; i < LRU_CACHE_REQUESTS_PER_ITERATION; i++) {
            if (i % 64 == 0) {
                run_mark(run, NULL);
            }
            struct object *link = lru_cache_request(run, rng_below(&run->rng, state->keys));
            if (link == NULL) {
                run_fail(run, MODEL_HEAP_EXHAUSTED);
                return;
            }
            struct object *result = list_item(link, LRU_CACHE_RESULT);
            model_check(run, str_length(result) + (uint64_t)str_bytes(result)[0]);
        }
    }
}

/* An operation is a request. */
static uint64_t lru_cache_operations(const struct run *run)
{
    (void)run;
    return LRU_CACHE_REQUESTS_PER_ITERATION;
}

/* Models one more insertion; if the cache is full, the oldest entry is deleted first. Returns the
 * tables taken. */
static uint64_t lru_cache_model_insertion(const struct lru_cache_state *state,
                                          struct model_dict *dict)
{
    dict->used -= dict->used == state->live;
    return model_dict_insert(dict);
}

/* Brings the models to the state of the real cache. */
static void lru_cache_model_load(struct lru_cache_state *state)
{
    lru_model_clear(&state->model);
    const struct object *link = list_item(state->root, LRU_CACHE_NEXT);
    for (; link != state->root; link = list_item(link, LRU_CACHE_NEXT)) {
        uint64_t number = (uint64_t)int_value(list_item(link, LRU_CACHE_KEY));
        uint64_t index = (number - LRU_CACHE_NUMBER_MIN) / LRU_CACHE_NUMBER_STEP;
        (void)lru_model_request(&state->model, index);
    }
    for (; state->dict_model_insertions < state->insertions; state->dict_model_insertions++) {
        (void)lru_cache_model_insertion(state, &state->dict_model);
    }
}

/* A boxed key for each request; for a miss the value, the link and its vector; and sometimes a
 * table of the dict. */
static uint64_t lru_cache_expected_allocations(const struct run *run, uint64_t iterations)
{
    struct lru_cache_state *state = run->state;
    lru_cache_model_load(state);
    struct model_dict dict = state->dict_model;
    struct rng rng = run->rng;
    uint64_t blocks = 0;
    for (uint64_t i = 0; i < iterations * LRU_CACHE_REQUESTS_PER_ITERATION; i++) {
        blocks++;
        if (lru_model_request(&state->model, rng_below(&rng, state->keys))) {
            blocks += 3 + lru_cache_model_insertion(state, &dict);
        }
    }
    return blocks;
}

/* Between its last use and its eviction an entry sees at most 1.4 times as many requests as there
 * are places. It escapes an eviction with probability 1 / universe, so it never escapes 50 /
 * log2(universe) times. The dict's tables are rebuilt after at most as many insertions as they have
 * places. */
static size_t lru_cache_window_bytes(const struct run *run)
{
    double universe = run->values[LRU_CACHE_UNIVERSE];
    double lives = 2 + 50 / log2(universe);
    double entry_bytes = MODEL_INT_BYTES + MODEL_LIST_BYTES + 64 + MODEL_STR_BYTES +
                         1.5 * run->values[LRU_CACHE_VALUE] + 3 * 40;
    return (size_t)(1.4 * lives * (run->values[LRU_CACHE_LIVE] + 64) * entry_bytes);
}

const struct workload workload_lru_cache = {
    .name = "lru_cache",
    .kind = "objects",
    .family = "steady",
    .summary = "a full cache that replaces the entry used longest ago",
    .parameters =
        {
            {"live", "objects", "entries of the cache", NULL, 1e4, 1, 1e7},
            {"universe", "keys", "different keys for each entry of the cache", NULL, 4, 2, 64},
            {"value", "bytes", "mean length of a cached string", NULL, 100, 1, 1e6},
        },
    .operations = lru_cache_operations,
    .expected_allocations = lru_cache_expected_allocations,
    .window_bytes = lru_cache_window_bytes,
    .setup = lru_cache_setup,
    .run = lru_cache_run,
    .teardown = lru_cache_teardown,
};
