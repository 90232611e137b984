/* dict_build: dicts built key by key, read once, and kept for a while.
 *
 * Imitates indexing and grouping: each dict gets keys of its own (ints, or strings of 16 to 23
 * bytes) with a boxed int for a value, is looked up by every key, and takes the place of an old
 * one. Most dicts are small and some are large. A growing dict takes a new table, copies and
 * frees the old one (it does not resize), as CPython's.
 *
 * Leaves out deletion (see lru_cache), and dicts with one shared set of keys (see
 * json_documents).
 *
 * Stresses mixed lifetimes: tables that double and die beside keys and values that stay. */
#include "workloads/objects/model.h"

enum { DICT_BUILD_LIVE, DICT_BUILD_LENGTH, DICT_BUILD_KEYS };
enum { DICT_BUILD_INT_KEYS, DICT_BUILD_STR_KEYS };
enum { DICT_BUILD_DIGITS = 16, DICT_BUILD_KEY_BYTES_MAX = 24, DICT_BUILD_NUMBER_MIN = 1000 };

struct dict_build_state {
    struct object *dicts; /* a list */
    uint32_t *lengths;    /* [live]: of the dicts, in the order of the pass */
};

static uint64_t dict_build_target(const struct run *run, uint64_t index)
{
    return model_spread_size(index, run_count(run, DICT_BUILD_LIVE), 1,
                             run->values[DICT_BUILD_LENGTH]);
}

/* Number `ordinal` of a dict: an odd multiplier keeps the numbers distinct modulo 2^44. */
static uint64_t dict_build_number(uint64_t first, uint64_t ordinal)
{
    return ((first + ordinal * 0x9e3779b97f5u) & (((uint64_t)1 << 44) - 1)) + DICT_BUILD_NUMBER_MIN;
}

static struct object *dict_build_str_key(struct runtime *runtime, uint64_t number)
{
    char text[DICT_BUILD_KEY_BYTES_MAX] = "0123456789abcdef0123456";
    for (int i = 0; i < DICT_BUILD_DIGITS; i++) {
        text[i] = (char)('a' + (int)(number >> (4 * i) & 15));
    }
    return str_new(runtime, text, DICT_BUILD_DIGITS + (number & 7));
}

/* Makes a dict of length entries; returns a new reference, or NULL. */
static struct object *dict_build_make(struct run *run, uint64_t length, uint64_t first)
{
    struct runtime *runtime = run->runtime;
    const bool int_keys = run_count(run, DICT_BUILD_KEYS) == DICT_BUILD_INT_KEYS;
    struct object *dict = dict_new(runtime);
    for (uint64_t i = 0; dict != NULL && i < length; i++) {
        uint64_t number = dict_build_number(first, i);
        struct object *value = int_new(runtime, (int64_t)(number ^ 0x10000));
        struct object *key =
            int_keys ? int_new(runtime, (int64_t)number) : dict_build_str_key(runtime, number);
        bool done = key != NULL && value != NULL && dict_set(runtime, dict, key, value);
        object_xdecref(runtime, key);
        object_xdecref(runtime, value);
        if (!done) {
            object_decref(runtime, dict);
            return NULL;
        }
    }
    return dict;
}

/* Looks up every key; returns the sum of the values. */
static uint64_t dict_build_sum(const struct object *dict)
{
    uint64_t sum = 0;
    size_t position = 0;
    struct object *key = NULL;
    struct object *value = NULL;
    while (dict_next(dict, &position, &key, &value)) {
        sum += (uint64_t)int_value(dict_get(dict, key));
    }
    return sum;
}

static void dict_build_teardown(struct run *run)
{
    struct dict_build_state *state = run->state;
    object_xdecref(run->runtime, state->dicts);
    state->dicts = NULL;
}

static enum status dict_build_setup(struct run *run, struct error *error)
{
    const uint64_t live = run_count(run, DICT_BUILD_LIVE);
    struct dict_build_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->lengths = run_scratch(run, live * sizeof *state->lengths);
    for (uint64_t i = 0; i < live; i++) {
        state->lengths[i] = (uint32_t)dict_build_target(run, i);
    }
    rng_shuffle_u32(&run->rng, state->lengths, live);
    state->dicts = list_new(run->runtime);
    bool filled = state->dicts != NULL;
    for (uint64_t i = 0; filled && i < live; i++) {
        struct object *dict = dict_build_make(run, state->lengths[i], rng_next(&run->rng));
        filled = dict != NULL && list_append(run->runtime, state->dicts, dict);
        object_xdecref(run->runtime, dict);
    }
    if (!filled) {
        dict_build_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static void dict_build_run(struct run *run, uint64_t iterations)
{
    struct dict_build_state *state = run->state;
    const uint64_t live = run_count(run, DICT_BUILD_LIVE);
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        rng_shuffle_u32(&run->rng, state->lengths, live);
        for (uint64_t i = 0; i < live; i++) {
            run_mark(run, NULL);
            struct object *dict = dict_build_make(run, state->lengths[i], rng_next(&run->rng));
            if (dict == NULL) {
                run_fail(run, MODEL_HEAP_EXHAUSTED);
                return;
            }
            model_check(run, dict_build_sum(dict));
            list_give_item(run->runtime, state->dicts, (size_t)i, dict);
        }
    }
}

/* An operation is an entry. */
static uint64_t dict_build_operations(const struct run *run)
{
    uint64_t entries = 0;
    for (uint64_t i = 0; i < run_count(run, DICT_BUILD_LIVE); i++) {
        entries += dict_build_target(run, i);
    }
    return entries;
}

/* The dict and its tables, and a key and a value for each entry. */
static uint64_t dict_build_expected_allocations(const struct run *run, uint64_t iterations)
{
    uint64_t blocks = 0;
    for (uint64_t i = 0; i < run_count(run, DICT_BUILD_LIVE); i++) {
        uint64_t entries = dict_build_target(run, i);
        blocks += 1 + model_dict_buffers(entries) + 2 * entries;
    }
    return iterations * blocks;
}

/* A dict lives for one pass. Its tables are at most three times as large as necessary, and a table
 * with all earlier ones is twice as large as the last one. */
static size_t dict_build_window_bytes(const struct run *run)
{
    enum { ENTRY_BYTES = MODEL_INT_BYTES + MODEL_STR_BYTES + 32 + 2 * 3 * 32 };
    uint64_t pass_bytes = run_count(run, DICT_BUILD_LIVE) * (MODEL_DICT_BYTES + 512);
    pass_bytes += dict_build_operations(run) * ENTRY_BYTES;
    return (size_t)(3 * pass_bytes + 65536);
}

static const char *const dict_build_key_kinds[] = {"int", "str", NULL};

const struct workload workload_dict_build = {
    .name = "dict_build",
    .kind = "objects",
    .family = "growth",
    .summary = "dicts built key by key and kept for a while",
    .parameters =
        {
            {"live", "objects", "dicts that are alive", NULL, 100, 1, 1e6},
            {"length", "entries", "of the largest; logarithms evenly spread", NULL, 1e3, 1, 1e7},
            {"keys", "", "what the keys are", dict_build_key_kinds, DICT_BUILD_STR_KEYS, 0, 1},
        },
    .operations = dict_build_operations,
    .expected_allocations = dict_build_expected_allocations,
    .window_bytes = dict_build_window_bytes,
    .setup = dict_build_setup,
    .run = dict_build_run,
    .teardown = dict_build_teardown,
};
