/* What `heapmill bench` says of a run before it begins and after it has ended. */
#ifndef HEAPMILL_CLI_BENCH_REPORT_H
#define HEAPMILL_CLI_BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/status.h"
#include "results/instruction_counts.h"

/* --dry-run: the plan on stdout, as a table or as JSON (plan.json's members, and `estimate_s` and
 * `processes`). */
void bench_report_plan(const json_t *plan, bool json);

/* One line on stderr before the run. round_s: what a round is expected to take. */
void bench_report_start(const json_t *plan, const char *directory, double round_s);

/* Records of the directory by what became of them. */
struct bench_tally {
    size_t records;
    size_t ok;
    size_t failed; /* crashed and timed out ones too */
    size_t not_applicable;
    size_t rounds;                    /* of the time pass */
    double elapsed_s;                 /* of the whole run when its last record was made */
    struct instruction_counts counts; /* `differing` is not kept */
};

/* warnings: an array that bench_warnings_after adds to, or NULL. */
enum status bench_tally_read(const char *directory, struct bench_tally *tally, json_t *warnings,
                             struct error *error);

/* After the run: a line on stderr, and the summary as JSON on stdout. warnings (borrowed) are those
 * of the whole run: they are in the JSON. */
void bench_report_end(const struct bench_tally *tally, const char *directory, double seconds,
                      bool interrupted, json_t *warnings, bool json);

#endif
