#include "fuzz/reduce.h"

#include <string.h>

#include "common/clock.h"

struct reduce_state {
    struct fuzz_reduce *reduce;
    uint8_t *bytes;
    size_t size;
    uint8_t *trial;
    uint64_t end_ns;
};

static bool reduce_is_over(const struct reduce_state *state)
{
    return state->reduce->tests >= state->reduce->tests_max || clock_wall_ns() >= state->end_ns;
}

/* Keeps the trial if the test accepts it. */
static bool reduce_try(struct reduce_state *state, size_t size)
{
    if (reduce_is_over(state)) {
        return false;
    }
    state->reduce->tests++;
    if (!state->reduce->test(state->reduce->context, state->trial, size)) {
        return false;
    }
    memcpy(state->bytes, state->trial, size);
    state->size = size;
    return true;
}

/* Tries the input without `length` bytes at `at`. */
static bool reduce_try_without(struct reduce_state *state, size_t at, size_t length)
{
    memcpy(state->trial, state->bytes, at);
    memcpy(state->trial + at, state->bytes + at + length, state->size - at - length);
    return reduce_try(state, state->size - length);
}

/* Removes runs of units, the longest first, from the end: the last units are rarely needed. */
static bool reduce_take_out(struct reduce_state *state)
{
    size_t header = state->reduce->header_bytes;
    size_t unit = state->reduce->unit_bytes;
    bool shorter = false;
    size_t units = state->size > header ? (state->size - header) / unit : 0;
    size_t rest = state->size > header ? (state->size - header) % unit : 0; /* an incomplete unit */
    if (rest > 0) {
        shorter = reduce_try_without(state, state->size - rest, rest);
    }
    for (size_t run = units; run > 0 && !reduce_is_over(state); run /= 2) {
        size_t at = header + units * unit;
        while (at >= header + run * unit && !reduce_is_over(state)) {
            at -= run * unit;
            if (at + run * unit <= state->size && reduce_try_without(state, at, run * unit)) {
                shorter = true;
            }
        }
        units = state->size > header ? (state->size - header) / unit : 0;
    }
    return shorter;
}

static bool reduce_set_zero(struct reduce_state *state)
{
    bool simpler = false;
    for (size_t at = 0; at < state->size && !reduce_is_over(state); at++) {
        if (state->bytes[at] != 0) {
            memcpy(state->trial, state->bytes, state->size);
            state->trial[at] = 0;
            simpler = reduce_try(state, state->size) || simpler;
        }
    }
    return simpler;
}

size_t fuzz_reduce_input(struct fuzz_reduce *reduce, uint8_t *bytes, size_t size, uint8_t *trial)
{
    struct reduce_state state = {.reduce = reduce,
                                 .bytes = bytes,
                                 .size = size,
                                 .trial = trial,
                                 .end_ns = clock_wall_ns() + (uint64_t)(reduce->time_s_max * 1e9)};
    reduce->tests = 0;
    bool smaller = true;
    while (smaller && !reduce_is_over(&state)) {
        smaller = reduce_take_out(&state);
        smaller = reduce_set_zero(&state) || smaller;
    }
    return state.size;
}
