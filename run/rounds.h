/* Executes a plan: the passes for memory, instructions and latency, then the rounds of the time
 * pass, one process at a time, each followed by its record; cells of the memory pass run beside
 * each other where the executor can (run_beside). What the store has already is not run again. */
#ifndef HEAPMILL_RUN_ROUNDS_H
#define HEAPMILL_RUN_ROUNDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/status.h"
#include "results/record.h"
#include "results/store.h"
#include "run/executor.h"
#include "run/experiment.h"
#include "run/machine.h"

/* Runs what is left of the store's plan. round_s is the time in seconds that a round is expected to
 * take, and elapsed_s the time that the run has taken before; the budget and the progress line need
 * both. Cells that fail are recorded and reported on stderr, and do not end the run. Returns
 * STATUS_INTERRUPTED after SIGINT or SIGTERM: nothing runs any more, and the store can be resumed.
 * After STATUS_IO and other errors the run cannot continue. */
enum status rounds_run(struct store *store, const struct executor *executor, double round_s,
                       double elapsed_s, struct error *error);

/* Decides the order of a round's cells. The order depends on the seed, the round and the plan's
 * cells alone. Groups come in a shuffled order. The cells of a group run next to each other,
 * shuffled too, so that what the machine does at a moment affects both sides of a pair. */

/* Fills order[json_array_size(cells)] with the indices of the plan's cells. */
void schedule_round(const json_t *cells, uint64_t seed, uint32_t round, uint32_t *order);

/* Returns the seed that all cells of a group get in a round. It is below 2^53, so that every reader
 * of JSON keeps it whole. */
uint64_t schedule_seed(uint64_t seed, uint32_t round, const char *group);

/* Which groups have a further round of the time pass: a function of the plan and of the records of
 * the rounds before, and of nothing else, so that a run that was interrupted goes on as it would
 * have. docs/decisions/0006-rounds.md says why the rules are as they are. */

enum {
    ADAPTIVE_ROUNDS_MIN = 10, /* before a group may stop because its intervals are narrow */
    ADAPTIVE_ROUNDS_MAX = 70, /* without a budget: a look, seven times the work of the first */
};

/* When the time pass ends, from plan.json. */
struct adaptive {
    uint64_t rounds;     /* of each group, at most; 0: `precision`, or a budget, decides */
    double precision;    /* a ratio distance; 0: rounds are not adaptive */
    uint64_t rounds_max; /* 0: none */
};

/* Writes what the options say of rounds into the plan, beside `rounds` and `budget_s`. */
void adaptive_write_plan(const struct experiment *experiment, json_t *plan);

void adaptive_read_plan(const json_t *plan, struct adaptive *adaptive);

/* Tells whether a group whose intervals are narrow stops before this round. A check after each
 * round would stop at the first narrow interval that chance gives. Therefore each check is 1.4
 * times as far as the one before: 10, 14, 19, 26, 36, 50, 70, … */
bool adaptive_is_look(uint64_t round);

/* Sets runs[group] for the groups that have round `round`, and *count to their number.
 * disturbance_mark(set, round) must have marked the set. Returns STATUS_NO_MEMORY on failure. */
enum status adaptive_choose(const struct adaptive *adaptive, const struct record_set *set,
                            uint32_t round, bool *runs, size_t *count, struct error *error);

/* Makes the record of a cell (results/FORMAT.md) from the executor's outcome and what the engine
 * knows. */

/* What the engine knows of a cell's run. Borrowed. */
struct cell_run {
    const json_t *cell; /* of the plan */
    const json_t *host; /* machine_describe_host */
    enum record_pass pass;
    uint64_t instructions_before; /* what the cell's round before counted; 0: nothing to compare */
    uint32_t round;
    uint64_t seed;
    time_t started;
    double elapsed_s; /* of the run, when the cell had ended */
    struct machine_counters before;
    struct machine_counters after;
    /* The checksum that the group's cells had so far in this round, with the cell that had it, or
     * NULL for the first cell. A cell with another checksum has failed, because it did other
     * work. */
    const json_t *checksum;
    const char *checksum_cell;
};

/* Makes a record, a new reference, and takes the outcome (run/executor.h). A record that is not ok
 * has no figures. */
json_t *cell_record_make(const struct cell_run *run, json_t *outcome);

#endif
