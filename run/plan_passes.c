/* Which passes a plan has, and which cells and how many rounds each of them runs. */
#include <string.h>

#include "run/plan.h"

/* A worker's start, set-up and end: on a 2-core cloud machine starts took 8 to 20 ms, and under
 * valgrind 0.6 s. For estimates only. */
static const double PLAN_START_S = 0.02;
static const double PLAN_VALGRIND_START_S = 1.0;

/* Timed part and warm-up, as multiples of the target time. The memory pass stops to look; the
 * latency pass's probes count at every call. */
static const double PLAN_SHARE[RECORD_PASS_COUNT] = {
    [RECORD_TIME] = 1.0, [RECORD_MEMORY] = 4.5, [RECORD_INSTRUCTIONS] = 0, [RECORD_LATENCY] = 2.5};

/* A count needs no more than what makes rare events, as a collection or a new arena, come as often
 * as they do; callgrind takes about half a second for it. It does not depend on how fast the
 * machine is, since the counts of two machines should be comparable. */
static const json_int_t PLAN_INSTRUCTION_OPERATIONS = 20000;
static const json_int_t PLAN_INSTRUCTION_WARMUP_PART = 10;

void plan_set_passes(json_t *plan, const struct experiment *experiment)
{
    json_t *passes = json_array();
    for (int pass = 0; pass < RECORD_PASS_COUNT; pass++) {
        if (experiment->passes[pass]) {
            (void)json_array_append_new(passes,
                                        json_string(record_pass_word((enum record_pass)pass)));
        }
    }
    (void)json_object_set_new(plan, "passes", passes);
    (void)json_object_set_new(plan, "instruction_rounds",
                              json_integer((json_int_t)experiment->instruction_rounds));
    (void)json_object_set_new(plan, "latency_rounds",
                              json_integer((json_int_t)experiment->latency_rounds));
    (void)json_object_set_new(plan, "latency_every",
                              json_integer((json_int_t)experiment->latency_every));
}

bool plan_runs_pass(const json_t *plan, enum record_pass pass)
{
    const json_t *passes = json_object_get(plan, "passes");
    if (passes == NULL) { /* of an older heapmill */
        return pass == RECORD_TIME ||
               (pass == RECORD_MEMORY && json_is_true(json_object_get(plan, "memory_pass")));
    }
    size_t index;
    json_t *word;
    json_array_foreach(passes, index, word)
    {
        if (json_is_string(word) && strcmp(json_string_value(word), record_pass_word(pass)) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t plan_pass_rounds(const json_t *plan, enum record_pass pass)
{
    static const char *const members[RECORD_PASS_COUNT] = {[RECORD_TIME] = "rounds",
                                                           [RECORD_INSTRUCTIONS] =
                                                               "instruction_rounds",
                                                           [RECORD_LATENCY] = "latency_rounds"};
    if (!plan_runs_pass(plan, pass)) {
        return 0;
    }
    return pass == RECORD_MEMORY
               ? 1
               : (uint64_t)json_integer_value(json_object_get(plan, members[pass]));
}

bool plan_has_pass(const json_t *cell, enum record_pass pass)
{
    bool twin = json_integer_value(json_object_get(cell, "twin")) != 0;
    switch (pass) {
    case RECORD_MEMORY:
        return !twin;
    case RECORD_INSTRUCTIONS:
        return !twin && json_integer_value(json_object_get(cell, "threads")) <= 1;
    default:
        return true;
    }
}

size_t plan_count_cells(const json_t *plan, enum record_pass pass)
{
    size_t count = 0;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        count += plan_has_pass(cell, pass);
    }
    return count;
}

double plan_estimate_round_s(const json_t *plan, enum record_pass pass)
{
    double target_s = json_number_value(json_object_get(plan, "target_ms")) / 1e3;
    double start_s = pass == RECORD_INSTRUCTIONS ? PLAN_VALGRIND_START_S : PLAN_START_S;
    return (double)plan_count_cells(plan, pass) * (start_s + PLAN_SHARE[pass] * target_s);
}

double plan_estimate_others_s(const json_t *plan)
{
    double seconds = 0;
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT; pass++) {
        seconds += plan_estimate_round_s(plan, (enum record_pass)pass) *
                   (double)plan_pass_rounds(plan, (enum record_pass)pass);
    }
    return seconds;
}

size_t plan_count_others(const json_t *plan)
{
    size_t count = 0;
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT; pass++) {
        count += plan_count_cells(plan, (enum record_pass)pass) *
                 (size_t)plan_pass_rounds(plan, (enum record_pass)pass);
    }
    return count;
}

void plan_set_instruction_iterations(json_t *cell, json_int_t operations)
{
    bool once = json_is_true(json_object_get(cell, "single_shot"));
    json_int_t iterations = operations > 0 ? PLAN_INSTRUCTION_OPERATIONS / operations : 1;
    iterations = once || iterations < 1 ? 1 : iterations;
    json_int_t warmup =
        once ? 0 : (iterations + PLAN_INSTRUCTION_WARMUP_PART - 1) / PLAN_INSTRUCTION_WARMUP_PART;
    (void)json_object_set_new(cell, "instruction_iterations", json_integer(iterations));
    (void)json_object_set_new(cell, "instruction_warmup_iterations", json_integer(warmup));
}
