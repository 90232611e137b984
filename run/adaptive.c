#include "run/adaptive.h"

#include <stdlib.h>

#include "results/stats/disturbance.h"
#include "results/stats/precision.h"

void adaptive_write_plan(const struct experiment *experiment, json_t *plan)
{
    bool capped = experiment->precision > 0 && experiment->budget_s <= 0;
    (void)json_object_set_new(plan, "precision", json_real(experiment->precision));
    (void)json_object_set_new(plan, "rounds_max", json_integer(capped ? ADAPTIVE_ROUNDS_MAX : 0));
    (void)json_object_set_new(plan, "redo", json_boolean(!experiment->no_redo));
}

void adaptive_read_plan(const json_t *plan, struct adaptive *adaptive)
{
    *adaptive = (struct adaptive){
        .rounds = (uint64_t)json_integer_value(json_object_get(plan, "rounds")),
        .precision = json_number_value(json_object_get(plan, "precision")),
        .rounds_max = (uint64_t)json_integer_value(json_object_get(plan, "rounds_max")),
        .redo = json_is_true(json_object_get(plan, "redo")),
    };
}

bool adaptive_is_look(uint64_t round)
{
    uint64_t look = ADAPTIVE_ROUNDS_MIN;
    while (look < round) {
        look = look * 7 / 5;
    }
    return look == round;
}

/* Rounds of a group when all have the same number, with those that make up for disturbed ones. The
 * latter may be disturbed too and are not made up for again: a group is done over once. */
static uint64_t adaptive_fixed_rounds(const struct adaptive *adaptive,
                                      const struct record_group *group, uint32_t disturbed_planned)
{
    bool again = adaptive->redo && group->rounds >= adaptive->rounds &&
                 disturbance_is_rare(disturbed_planned, (uint32_t)adaptive->rounds);
    return adaptive->rounds + (again ? disturbed_planned : 0);
}

/* Counts the disturbed ones among the planned rounds of each group: of the first `rounds` ones. */
static void adaptive_count_disturbed(const struct record_set *set, uint64_t rounds,
                                     uint32_t *disturbed)
{
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        uint32_t group = set->cells[record->cell].group;
        bool first = i == 0 || record->round != set->records[i - 1].round ||
                     record->pass != set->records[i - 1].pass ||
                     set->cells[set->records[i - 1].cell].group != group;
        disturbed[group] +=
            first && record->pass == RECORD_TIME && record->disturbed && record->round < rounds;
    }
}

static enum status adaptive_choose_fixed(const struct adaptive *adaptive,
                                         const struct record_set *set, uint32_t round, bool *runs,
                                         struct error *error)
{
    uint32_t *disturbed = calloc(set->group_count + 1, sizeof(*disturbed));
    if (disturbed == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", set->group_count);
    }
    if (round >= adaptive->rounds) {
        adaptive_count_disturbed(set, adaptive->rounds, disturbed);
    }
    for (size_t i = 0; i < set->group_count; i++) {
        runs[i] = round < adaptive_fixed_rounds(adaptive, &set->groups[i], disturbed[i]);
    }
    free(disturbed);
    return STATUS_OK;
}

/* A group that had no record in the round before has stopped. */
static enum status adaptive_choose_precise(const struct adaptive *adaptive,
                                           const struct record_set *set, uint32_t round, bool *runs,
                                           struct error *error)
{
    double *half_widths = calloc(set->group_count + 1, sizeof(*half_widths));
    if (half_widths == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", set->group_count);
    }
    bool look = adaptive_is_look(round);
    enum status status = look ? precision_of_groups(set, half_widths, error) : STATUS_OK;
    for (size_t i = 0; i < set->group_count && status == STATUS_OK; i++) {
        bool narrow = look && half_widths[i] <= adaptive->precision;
        runs[i] = set->groups[i].rounds >= round && !narrow;
    }
    free(half_widths);
    return status;
}

enum status adaptive_choose(const struct adaptive *adaptive, const struct record_set *set,
                            uint32_t round, bool *runs, size_t *count, struct error *error)
{
    enum status status = STATUS_OK;
    bool ended = adaptive->rounds_max > 0 && round >= adaptive->rounds_max;
    for (size_t i = 0; i < set->group_count; i++) {
        runs[i] = !ended;
    }
    if (adaptive->rounds > 0) {
        status = adaptive_choose_fixed(adaptive, set, round, runs, error);
    } else if (adaptive->precision > 0 && round >= ADAPTIVE_ROUNDS_MIN && !ended) {
        status = adaptive_choose_precise(adaptive, set, round, runs, error);
    }
    *count = 0;
    for (size_t i = 0; i < set->group_count; i++) {
        *count += runs[i];
    }
    return status;
}
