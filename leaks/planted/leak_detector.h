/* The detectors that live in the program: each looks at a leak_program, and answers what leaked. */
#ifndef HEAPMILL_LEAKS_PLANTED_LEAK_DETECTOR_H
#define HEAPMILL_LEAKS_PLANTED_LEAK_DETECTOR_H

#include "leaks/planted/leak.h"

enum { LEAK_ANSWER_MAX = 32, LEAK_TYPE_BYTES = 40, LEAK_CHAIN_BYTES = 400 };

/* Steps of every run, whatever the detector: warm-ups, in which caches fill, then those that count.
 * As CPython's refleak hunting (Lib/test/libregrtest/refleak.py), but one warm-up fewer and two
 * repetitions more: the chance of a clean program whose deltas are noise falls with each. */
enum {
    LEAK_STEPS_WARM = 3,
    LEAK_STEPS_COUNTED = 6,
    LEAK_STEPS = LEAK_STEPS_WARM + LEAK_STEPS_COUNTED
};

struct leak_report {
    char site[LEAK_SITE_BYTES]; /* "FILE:LINE"; empty: not known */
    char type[LEAK_TYPE_BYTES];
    uint64_t count;
    uint64_t bytes;
    char chain[LEAK_CHAIN_BYTES]; /* the referrers that keep one of them alive; empty: none */
};

struct leak_answer {
    struct leak_report leaks[LEAK_ANSWER_MAX];
    size_t count;
    const char *failed; /* why there is no answer */
};

struct leak_detector {
    const char *name;
    /* After step 0 to LEAK_STEPS - 1; may be NULL. */
    void (*after_step)(struct leak_program *program, size_t step);
    void (*answer)(struct leak_program *program, struct leak_answer *answer);
};

extern const struct leak_detector leak_detector_ledger; /* answers in ledger builds alone */
extern const struct leak_detector leak_detector_collector;
extern const struct leak_detector leak_detector_growth;

/* The report of that site and type, made when there is none; NULL: the answer is full. */
struct leak_report *leak_answer_find(struct leak_answer *answer, const char *site,
                                     const char *type);
/* Collects, if the program has left the collector on: what its next collection would find anyway is
 * not lost. */
void leak_collect_as_program(struct leak_program *program);

#endif
