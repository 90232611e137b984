/* The command line of `heapmill bench`. */
#ifndef HEAPMILL_CLI_BENCH_OPTIONS_H
#define HEAPMILL_CLI_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/host/options.h"
#include "common/status.h"
#include "results/record.h"

enum {
    BENCH_ROUNDS_STANDARD = 7,
    BENCH_ROUNDS_INSTRUCTIONS = 2, /* the second is there to count the same */
    BENCH_LATENCY_EVERY = 16,
    BENCH_ROUNDS_VERDICT = 6, /* below that, compare gives no verdicts */
};

/* Strings are borrowed from argv or are constants; parameters are owned. */
struct bench_options {
    const char *operand;         /* NULL: there is none */
    const char *name;            /* of the matrix: "default", "quick", "custom" */
    const char *backends;        /* -b */
    const char *workloads;       /* -w */
    struct text_list parameters; /* -p */
    const char *arms;            /* --arm; NULL if not given */
    const char *threads;         /* --threads; "1" if not given */
    const char *base;            /* --base; NULL if not given */
    const char *directory;       /* -o; NULL if not given */
    const char *rounds_text;     /* --rounds; NULL if not given */
    uint64_t rounds;             /* 0: until the budget is spent, or until `precision` */
    double precision;            /* of --rounds auto, a ratio distance; 0: not given */
    double budget_s;             /* 0: none */
    uint64_t seed;
    double timeout_s;
    double target_ms;
    unsigned metrics; /* --metric: a bit for each of enum record_pass */
    bool resume;
    bool dry_run;
    bool passes[RECORD_PASS_COUNT]; /* what is measured */
    uint64_t instruction_rounds;
    uint64_t latency_rounds;
    uint64_t latency_every; /* one call in so many is timed */
    bool json;
    bool rounds_auto; /* --rounds auto */
    bool no_redo;
    bool no_memory;
    bool latency;   /* --latency */
    bool selective; /* something was given that decides what the plan is */
    int argc;       /* the command line, for the plan */
    char **argv;
};

extern const struct option_row bench_option_rows[];

/* Checks what the options have to do with each other, and fills in what was left out from the
 * matrix. STATUS_INVALID with a message that names the remedy. */
enum status bench_options_check(void *options, struct error *error);

/* The options of a command line that says nothing; bench_options_check, once more is set, makes
 * them whole. options_free releases them. */
void bench_options_set_defaults(struct bench_options *options);

#endif
