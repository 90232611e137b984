/* The command line of `heapmill bench`. */
#ifndef HEAPMILL_CLI_BENCH_OPTIONS_H
#define HEAPMILL_CLI_BENCH_OPTIONS_H

#include <stdbool.h>

#include "common/host/options.h"
#include "common/status.h"
#include "run/experiment.h"

enum {
    BENCH_ROUNDS_STANDARD = 7,
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

#endif
