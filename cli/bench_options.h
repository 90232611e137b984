/* The command line of `heapmill bench`. */
#ifndef HEAPMILL_CLI_BENCH_OPTIONS_H
#define HEAPMILL_CLI_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/host/text.h"
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
    const char *name;            /* of the matrix: "default", "quick", "custom" */
    const char *backends;        /* -b */
    const char *workloads;       /* -w */
    struct text_list parameters; /* -p */
    const char *arms;            /* --arm; NULL if not given */
    const char *threads;         /* --threads; "1" if not given */
    const char *base;            /* --base; NULL if not given */
    const char *metrics;         /* --metric; NULL if not given */
    const char *directory;       /* -o; NULL if not given */
    uint64_t rounds;             /* 0: until the budget is spent, or until `precision` */
    double precision;            /* of --rounds auto, a ratio distance; 0: not given */
    double budget_s;             /* 0: none */
    uint64_t seed;
    double timeout_s;
    double target_ms;
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

/* STATUS_INVALID with a message that names the remedy. In either case bench_options_free releases
 * it. */
enum status bench_options_parse(struct bench_options *options, int argc, char **argv,
                                struct error *error);

/* Parts of bench_options_parse, in bench_options_rounds.c: "N" or "auto"; "1%" or "0.01"; and what
 * these and --budget have to do with each other. STATUS_INVALID. */
enum status bench_options_take_rounds(struct bench_options *options, const char *text,
                                      struct error *error);
enum status bench_options_take_precision(struct bench_options *options, const char *text,
                                         struct error *error);
enum status bench_options_check_rounds(struct bench_options *options, struct error *error);

void bench_options_free(struct bench_options *options);

extern const char bench_usage[];

#endif
