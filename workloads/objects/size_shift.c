/* size_shift: the sizes of live objects move from phase to phase.
 *
 * Imitates a server whose traffic changes over the day, or a program of several stages: strings
 * of one range of lengths replace those of another while the bytes alive stay the same; within a
 * phase the live ones are replaced at random; a few objects of each phase stay on through the
 * next one, in the middle of memory that is otherwise free.
 *
 * Leaves out containers and anything else than strings, so that sizes alone matter.
 *
 * Stresses fragmentation over time: memory that was cut for one size is asked for in another.
 * Held over live, at its mean and at its peaks, is what to look at. */
#include "workloads/objects/model.h"

enum { SIZE_SHIFT_LIVE, SIZE_SHIFT_TURNOVER, SIZE_SHIFT_SURVIVORS };
enum { SIZE_SHIFT_MEAN_BYTES = 256 /* what `live` is counted in */, SIZE_SHIFT_TOUCH = 64 };

/* Lengths in bytes, uniform in the range. The ranges of neighbouring phases do not overlap, and the
 * means are on both sides of pymalloc's threshold of 512. */
struct size_shift_phase {
    const char *label;
    uint64_t length_min;
    uint64_t length_max;
};

static const struct size_shift_phase size_shift_phases[] = {
    {"16 to 64 bytes", 16, 64},       {"128 to 512 bytes", 128, 512}, {"32 to 128 bytes", 32, 128},
    {"512 to 2048 bytes", 512, 2048}, {"64 to 256 bytes", 64, 256},
};
enum { SIZE_SHIFT_PHASES = sizeof size_shift_phases / sizeof size_shift_phases[0] };

/* References are in scratch memory, because a list's vector would have a size too. */
struct size_shift_state {
    struct object **current; /* of this phase */
    struct object **former;  /* of the phase before; being replaced */
    struct object **kept;    /* of the phase before, kept until the next phase begins */
    uint64_t current_count;
    uint64_t former_count;
    uint64_t kept_count;
};

/* The number of live strings in a phase; each phase has about the same number of bytes. */
static uint64_t size_shift_count(const struct run *run, size_t phase)
{
    const struct size_shift_phase *sizes = &size_shift_phases[phase];
    uint64_t live_bytes = run_count(run, SIZE_SHIFT_LIVE) * SIZE_SHIFT_MEAN_BYTES;
    return 1 + 2 * live_bytes / (sizes->length_min + sizes->length_max);
}

static void size_shift_drop_all(struct run *run, struct object **objects, uint64_t *count)
{
    for (uint64_t i = 0; i < *count; i++) {
        object_decref(run->runtime, objects[i]);
    }
    *count = 0;
}

static void size_shift_teardown(struct run *run)
{
    struct size_shift_state *state = run->state;
    size_shift_drop_all(run, state->current, &state->current_count);
    size_shift_drop_all(run, state->former, &state->former_count);
    size_shift_drop_all(run, state->kept, &state->kept_count);
}

/* Makes a string of the phase, written to at both ends and at the beginning of each cache line.
 * NULL: the heap is exhausted. */
static struct object *size_shift_make(struct run *run, size_t phase)
{
    const struct size_shift_phase *sizes = &size_shift_phases[phase];
    uint64_t draw = rng_next(&run->rng);
    uint64_t span = sizes->length_max - sizes->length_min + 1;
    uint64_t length = sizes->length_min + ((draw >> 32) * span >> 32);
    struct object *str = str_new(run->runtime, NULL, length);
    if (str == NULL) {
        run_fail(run, MODEL_HEAP_EXHAUSTED);
        return NULL;
    }
    char *bytes = str_bytes(str);
    for (uint64_t i = 0; i < length; i += SIZE_SHIFT_TOUCH) {
        bytes[i] = (char)draw;
    }
    bytes[length - 1] = (char)draw;
    return str;
}

/* Reads a string that is about to be freed. */
static void size_shift_check(struct run *run, struct object *str)
{
    size_t length = str_length(str);
    const char *bytes = str_bytes(str);
    model_check(run, length + (uint64_t)(unsigned char)bytes[length - 1]);
}

/* Removes a random former string from the table; it is dropped, or kept for another phase. */
static void size_shift_retire(struct run *run)
{
    struct size_shift_state *state = run->state;
    uint64_t draw = rng_next(&run->rng);
    uint64_t index = (draw >> 32) * state->former_count >> 32;
    struct object *str = state->former[index];
    state->former[index] = state->former[--state->former_count];
    size_shift_check(run, str);
    if ((draw & 0xffffffffu) * 100 >> 32 < run_count(run, SIZE_SHIFT_SURVIVORS)) {
        state->kept[state->kept_count++] = str;
    } else {
        object_decref(run->runtime, str);
    }
}

/* Replaces the former strings by the phase's, one by one, so that live bytes stay equal. */
static void size_shift_move(struct run *run, size_t phase)
{
    struct size_shift_state *state = run->state;
    const uint64_t count = size_shift_count(run, phase);
    size_shift_drop_all(run, state->kept, &state->kept_count);
    struct object **former = state->current;
    const uint64_t former_count = state->current_count;
    state->current = state->former;
    state->former = former;
    state->former_count = former_count;
    state->current_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct object *str = size_shift_make(run, phase);
        if (str == NULL) {
            return;
        }
        state->current[state->current_count++] = str;
        while (former_count - state->former_count < (i + 1) * former_count / count) {
            size_shift_retire(run);
        }
        run_mark(run, NULL);
    }
}

/* Replaces each string as often as the turnover says, on average. */
static void size_shift_turn_over(struct run *run, size_t phase)
{
    struct size_shift_state *state = run->state;
    const uint64_t count = state->current_count;
    for (uint64_t i = 0; i < count * run_count(run, SIZE_SHIFT_TURNOVER); i++) {
        struct object *str = size_shift_make(run, phase);
        if (str == NULL) {
            return;
        }
        uint64_t index = rng_below(&run->rng, count);
        size_shift_check(run, state->current[index]);
        object_decref(run->runtime, state->current[index]);
        state->current[index] = str;
        run_mark(run, NULL);
    }
}

static enum status size_shift_setup(struct run *run, struct error *error)
{
    struct size_shift_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    uint64_t count_max = 0;
    for (size_t phase = 0; phase < SIZE_SHIFT_PHASES; phase++) {
        uint64_t count = size_shift_count(run, phase);
        count_max = count > count_max ? count : count_max;
    }
    state->current = run_scratch(run, count_max * sizeof(struct object *));
    state->former = run_scratch(run, count_max * sizeof(struct object *));
    state->kept = run_scratch(run, count_max * sizeof(struct object *));
    size_shift_move(run, SIZE_SHIFT_PHASES - 1);
    if (run->failed != NULL) {
        size_shift_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static void size_shift_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (size_t phase = 0; phase < SIZE_SHIFT_PHASES; phase++) {
            run_mark(run, size_shift_phases[phase].label);
            size_shift_move(run, phase);
            if (run->failed == NULL) {
                size_shift_turn_over(run, phase);
            }
            if (run->failed != NULL) {
                return;
            }
        }
    }
}

/* An operation is a string that is made; it is one block. */
static uint64_t size_shift_operations(const struct run *run)
{
    uint64_t strings = 0;
    for (size_t phase = 0; phase < SIZE_SHIFT_PHASES; phase++) {
        strings += size_shift_count(run, phase) * (1 + run_count(run, SIZE_SHIFT_TURNOVER));
    }
    return strings;
}

static uint64_t size_shift_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * size_shift_operations(run);
}

/* A string lives through its phase; if it is kept, also through the next one. */
static size_t size_shift_window_bytes(const struct run *run)
{
    uint64_t live_bytes = run_count(run, SIZE_SHIFT_LIVE) * SIZE_SHIFT_MEAN_BYTES;
    live_bytes += size_shift_count(run, 0) * MODEL_STR_BYTES;
    return (size_t)(3 * (live_bytes + 65536) * (2 + run_count(run, SIZE_SHIFT_TURNOVER)));
}

const struct workload workload_size_shift = {
    .name = "size_shift",
    .kind = "objects",
    .family = "phases",
    .summary = "strings whose lengths move from phase to phase",
    .parameters =
        {
            {"live", "objects", "live bytes, in objects of 256 bytes", NULL, 4e3, 1, 1e7},
            {"turnover", "times", "a phase's strings are replaced at random", NULL, 2, 0, 1000},
            {"survivors", "percent", "strings that stay on through the next phase", NULL, 3, 0,
             100},
        },
    .operations = size_shift_operations,
    .expected_allocations = size_shift_expected_allocations,
    .window_bytes = size_shift_window_bytes,
    .setup = size_shift_setup,
    .run = size_shift_run,
    .teardown = size_shift_teardown,
};
