#include "results/stats/disturbance.h"

#include <stdbool.h>

#include "results/stats/statistics.h"

/* Of the processes' wall time; a tick is 10 ms, so that a single one is no evidence. */
#define DISTURBANCE_STEAL_SHARE 0.05
#define DISTURBANCE_THROTTLED_SHARE 0.01
/* A quiet machine interrupts a busy process a few times a second, each rival on its core some
 * hundred times (the scheduler's slice is 3 to 4 ms). */
#define DISTURBANCE_SWITCHES_PER_S 100

enum {
    DISTURBANCE_TICKS_PER_S = 100, /* USER_HZ of every Linux that heapmill runs on */
    DISTURBANCE_STEAL_TICKS_MIN = 2,
    DISTURBANCE_SWITCHES_MIN = 5,
};

/* What happened around a group in one round. */
struct disturbance_sum {
    double process_s;
    double timed_s; /* of the cells with one thread */
    double steal_s;
    double throttled_s;
    uint64_t steal_ticks;
    uint64_t switches;
};

static void disturbance_add(struct disturbance_sum *sum, const struct record_set *set,
                            const struct record *record)
{
    sum->process_s += (double)record->process_s;
    sum->steal_ticks += record->steal_ticks;
    sum->steal_s += record->steal_ticks / (double)DISTURBANCE_TICKS_PER_S;
    sum->throttled_s += record->throttled_us / 1e6;
    if (set->cells[record->cell].threads == 1) {
        sum->timed_s += (double)record->timed_s;
        sum->switches += record->switches_involuntary;
    }
}

static bool disturbance_is(const struct disturbance_sum *sum)
{
    return (sum->steal_ticks >= DISTURBANCE_STEAL_TICKS_MIN &&
            sum->steal_s > DISTURBANCE_STEAL_SHARE * sum->process_s) ||
           sum->throttled_s > DISTURBANCE_THROTTLED_SHARE * sum->process_s ||
           (sum->switches >= DISTURBANCE_SWITCHES_MIN &&
            (double)sum->switches > DISTURBANCE_SWITCHES_PER_S * sum->timed_s);
}

/* The end of the stretch of records that begins at `begin` and is of one group in one round: groups
 * are written one after the other. */
static size_t disturbance_stretch(const struct record_set *set, size_t begin)
{
    const struct record *first = &set->records[begin];
    size_t end = begin + 1;
    while (end < set->record_count && set->records[end].pass == first->pass &&
           set->records[end].round == first->round &&
           set->cells[set->records[end].cell].group == set->cells[first->cell].group) {
        end++;
    }
    return end;
}

/* Counts each group's rounds before the limit, and marks the disturbed ones. */
static void disturbance_find(struct record_set *set, uint32_t round_limit)
{
    for (size_t begin = 0; begin < set->record_count;) {
        size_t end = disturbance_stretch(set, begin);
        struct disturbance_sum sum = {0};
        for (size_t i = begin; i < end; i++) {
            disturbance_add(&sum, set, &set->records[i]);
        }
        bool timed =
            set->records[begin].pass == RECORD_TIME && set->records[begin].round < round_limit;
        bool disturbed = timed && disturbance_is(&sum);
        struct record_group *group = &set->groups[set->cells[set->records[begin].cell].group];
        group->rounds += timed;
        group->rounds_disturbed += disturbed;
        for (size_t i = begin; i < end; i++) {
            set->records[i].disturbed = disturbed;
        }
        begin = end;
    }
}

bool disturbance_is_rare(uint32_t disturbed, uint32_t rounds)
{
    return disturbed * DISTURBANCE_RARE <= rounds;
}

/* Disturbed rounds make intervals wide, which is honest; too few rounds leave none at all. */
static bool disturbance_costs_the_verdict(uint32_t disturbed, uint32_t rounds)
{
    return rounds >= STATISTICS_ROUNDS_MIN && rounds - disturbed < STATISTICS_ROUNDS_MIN;
}

void disturbance_mark(struct record_set *set, uint32_t round_limit)
{
    for (size_t i = 0; i < set->group_count; i++) {
        set->groups[i].rounds = 0;
        set->groups[i].rounds_disturbed = 0;
    }
    disturbance_find(set, round_limit);
    for (size_t i = 0; i < set->record_count; i++) {
        struct record *record = &set->records[i];
        const struct record_group *group = &set->groups[set->cells[record->cell].group];
        bool rare = disturbance_is_rare(group->rounds_disturbed, group->rounds) &&
                    !disturbance_costs_the_verdict(group->rounds_disturbed, group->rounds);
        bool beyond = record->pass == RECORD_TIME && record->round >= round_limit;
        record->left_out = beyond || (record->disturbed && rare);
    }
}
