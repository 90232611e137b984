/* The leak detectors, behind one interface: those that live in the leak workers, and those that
 * look at one from outside. A detector runs one case in a process of its own and says what leaked.
 */
#ifndef HEAPMILL_LEAKS_DETECTORS_H
#define HEAPMILL_LEAKS_DETECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* One drawn case. The detector's own part is given everything but `clean`, which the worker alone
 * acts on. */
struct leaks_case {
    const char *kind;
    const char *backend;
    double rate;
    uint64_t number;
    uint64_t seed;
    bool clean;
};

struct leaks_detector {
    const char *name;
    bool annotated; /* the back end tells it of its blocks */
    bool outside;   /* costs are of whole processes; slow: a run that names no detectors gives it
                       the first case of each kind alone */
    /* Is it there for that back end at all? NULL: for every one. */
    bool (*runs_on)(const struct leaks_detector *detector, const char *backend);
    /* Can it see leaks of the kind at all on that back end? Declared, not found out; *reason (a
     * constant) says why not. Such cases run nevertheless, and are told apart in every table. */
    bool (*applicable)(const char *kind, const char *backend, const char **reason);
    /* *record is an object as leaks/planted/WORKER.md describes, a new reference: what the worker
     * said, with `answer` what the detector found. STATUS_UNSUPPORTED: what it needs is not
     * installed or not built, and the message has the remedy; STATUS_INTERRUPTED. */
    enum status (*run)(const struct leaks_detector *detector, const char *programs,
                       const struct leaks_case *each, json_t **record, struct error *error);
};

extern const struct leaks_detector *const leaks_detector_table[]; /* ends with NULL */
/* The bare program, what slowdowns are measured against. In no table. */
extern const struct leaks_detector leaks_detector_none;

#endif
