/* `heapmill bench`: its command line, and what it says before, beside and after a run. */
#ifndef HEAPMILL_CLI_BENCH_H
#define HEAPMILL_CLI_BENCH_H

#include <jansson.h>
#include <stdbool.h>

#include "common/host/options.h"
#include "common/status.h"
#include "results/record.h"
#include "results/run_tally.h"
#include "run/experiment.h"

enum {
    BENCH_ROUNDS_STANDARD = 40, /* docs/decisions/0006-rounds.md: many short processes */
    BENCH_ROUNDS_LATENCY = 7,
    BENCH_ROUNDS_INSTRUCTIONS = 2, /* the second is there to count the same */
    BENCH_LATENCY_EVERY = 16,
    BENCH_ROUNDS_VERDICT = 6, /* below that, compare gives no verdicts */
};

/* Strings are borrowed from argv or are constants; what experiment owns is owned. */
struct bench_options {
    struct experiment experiment;
    const char *operand;     /* NULL: there is none */
    const char *directory;   /* -o; NULL if not given */
    const char *rounds_text; /* --rounds; NULL if not given */
    unsigned metrics;        /* --metric: a bit for each of enum record_pass */
    const char *engine;      /* "local", "slurm" */
    uint64_t tasks;          /* --tasks; 0: as many as are worth it */
    uint64_t task;           /* --task */
    struct text_list sbatch;
    bool is_task;
    bool resume;
    bool dry_run;
    bool json;
    bool rounds_auto; /* --rounds auto */
    bool no_memory;
    bool latency;   /* --latency */
    bool selective; /* something was given that decides what the plan is */
};

extern const struct option_row bench_option_rows[];

/* Checks what the options have to do with each other, and fills in what was left out from the
 * matrix. STATUS_INVALID with a message that names the remedy. */
enum status bench_options_check(void *options, struct error *error);

/* The options of a command line that says nothing; bench_options_check, once more is set, makes
 * them whole. options_free releases them. */
void bench_options_set_defaults(struct bench_options *options);

/* The exit status that says it (command.h). */
int bench_exit_status(enum status status);

/* What `heapmill bench` says of a run before it begins and after it has ended. */

/* --dry-run: the plan on stdout, as a table or as JSON (plan.json's members, and `estimate_s` and
 * `processes`). */
void bench_report_plan(const json_t *plan, bool json);

/* One line on stderr before the run. round_s: what a round is expected to take. */
void bench_report_start(const json_t *plan, const char *directory, double round_s);

/* After the run: a line on stderr, and the summary as JSON on stdout. warnings (borrowed) are those
 * of the whole run: they are in the JSON. */
void bench_report_end(const struct run_tally *tally, const char *directory, double seconds,
                      bool interrupted, json_t *warnings, bool json);

/* What spoils a measurement, said when a run begins and when it has ended, with what helps. */

/* Rows as `heapmill doctor` makes them (doctor.h), those of level "warning" only: governor, huge
 * pages, address layout, swap, load. A new reference. */
json_t *bench_warnings_before(void);

/* Adds rows on what the records tell of the run: steal, throttling, rounds that were disturbed, and
 * groups that adaptive rounds left imprecise. The set is marked up to its end. STATUS_NO_MEMORY. */
enum status bench_warnings_after(const struct record_set *set, json_t *rows, struct error *error);

/* "heapmill: warning: NAME: VALUE: REMEDY" on stderr, a line a row. */
void bench_warnings_print(const json_t *rows);

#endif
