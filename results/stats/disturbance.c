#include "results/stats/disturbance.h"

#include <stdlib.h>

#include "results/stats/statistics.h"

/* A record is disturbed if it is above this multiple of the cell's median. In two runs on busy
 * machines (5,000 and 6,400 pairs), leaving pairs out at 5 or 10% cost more rounds than it gained;
 * at 20% it marked 8% of them. */
#define DISTURBANCE_OVER 1.2

/* CPU seconds outside the timed part, by cell: those of cell c are values[starts[c]] to
 * values[starts[c + 1] - 1]. */
struct canaries {
    double *values;
    size_t *starts;
};

/* Does this record count as a canary? Those of threaded cells do not: their threads share caches
 * with each other more than with other programs, so their start shows nothing. */
static bool canary_sings(const struct record_set *set, const struct record *record,
                         uint32_t round_limit)
{
    return record->pass == RECORD_TIME && record->round < round_limit &&
           record->outside_cpu_s > 0 && set->cells[record->cell].threads == 1;
}

static bool canaries_open(struct canaries *canaries, const struct record_set *set,
                          uint32_t round_limit)
{
    canaries->values = calloc(set->record_count + 1, sizeof(*canaries->values));
    canaries->starts = calloc(set->cell_count + 2, sizeof(*canaries->starts));
    if (canaries->values == NULL || canaries->starts == NULL) {
        return false;
    }
    for (size_t i = 0; i < set->record_count; i++) {
        canaries->starts[set->records[i].cell + 2u] +=
            canary_sings(set, &set->records[i], round_limit);
    }
    for (size_t cell = 2; cell < set->cell_count + 2; cell++) {
        canaries->starts[cell] += canaries->starts[cell - 1];
    }
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        if (canary_sings(set, record, round_limit)) {
            canaries->values[canaries->starts[record->cell + 1u]++] = (double)record->outside_cpu_s;
        }
    }
    return true;
}

/* May the cell's records above the limit be left out: are they rare, and are enough others left? */
static bool canaries_are_rare(const double *values, size_t count, double limit)
{
    size_t above = 0;
    for (size_t i = 0; i < count; i++) {
        above += values[i] > limit;
    }
    bool costs_the_verdict =
        count >= STATISTICS_ROUNDS_MIN && count - above < STATISTICS_ROUNDS_MIN;
    return above * DISTURBANCE_RARE <= count && !costs_the_verdict;
}

static void disturbance_mark_record(struct record_set *set, struct record *record, double limit,
                                    bool rare, uint32_t round_limit)
{
    bool timed = record->pass == RECORD_TIME && record->round < round_limit;
    struct record_group *group = &set->groups[set->cells[record->cell].group];
    record->disturbed =
        canary_sings(set, record, round_limit) && (double)record->outside_cpu_s > limit;
    record->left_out = (record->pass == RECORD_TIME && record->round >= round_limit) ||
                       (record->disturbed && rare);
    group->processes += timed;
    group->disturbed += record->disturbed;
    if (timed && record->round >= group->rounds) {
        group->rounds = record->round + 1;
    }
}

void disturbance_mark(struct record_set *set, uint32_t round_limit)
{
    struct canaries canaries = {0};
    double *limits = calloc(set->cell_count + 1, sizeof(*limits));
    bool *rare = calloc(set->cell_count + 1, sizeof(*rare));
    bool known = limits != NULL && rare != NULL && canaries_open(&canaries, set, round_limit);
    for (size_t i = 0; i < set->group_count; i++) {
        set->groups[i].rounds = set->groups[i].processes = set->groups[i].disturbed = 0;
    }
    for (size_t cell = 0; cell < set->cell_count && known; cell++) {
        double *values = &canaries.values[canaries.starts[cell]];
        size_t count = canaries.starts[cell + 1] - canaries.starts[cell];
        limits[cell] = count > 0 ? DISTURBANCE_OVER * statistics_median(values, count) : 0;
        rare[cell] = canaries_are_rare(values, count, limits[cell]);
    }
    for (size_t i = 0; i < set->record_count; i++) {
        struct record *record = &set->records[i];
        disturbance_mark_record(set, record, known ? limits[record->cell] : 1e300,
                                known && rare[record->cell], round_limit);
    }
    free(limits);
    free(rare);
    free(canaries.values);
    free(canaries.starts);
}

double disturbance_share(const struct record_set *set)
{
    double processes = 0;
    double disturbed = 0;
    for (size_t i = 0; i < set->group_count; i++) {
        processes += set->groups[i].processes;
        disturbed += set->groups[i].disturbed;
    }
    return processes > 0 ? disturbed / processes : 0;
}
