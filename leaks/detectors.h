/* The leak detectors behind one interface: those inside the leak workers, and those that examine a
 * worker from outside. A detector runs one case in its own process and reports what leaked. */
#ifndef HEAPMILL_LEAKS_DETECTORS_H
#define HEAPMILL_LEAKS_DETECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* One drawn case. The detector's own part of the worker gets all of it except `clean`. */
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
    bool annotated; /* the back end tells it about its blocks */
    bool outside;   /* costs are of whole processes. Slow: unless the run names detectors, it gets
                       only the first case of each kind */
    /* Does it exist for that back end? NULL: for every one. */
    bool (*runs_on)(const struct leaks_detector *detector, const char *backend);
    /* Can it find leaks of this kind on this back end? This is declared, not measured; *reason (a
     * constant) says why not. Such cases run nevertheless, and every table keeps them apart. */
    bool (*applicable)(const char *kind, const char *backend, const char **reason);
    /* Runs a case. *record is a new reference to an object as leaks/planted/WORKER.md describes it:
     * the worker's answer, with the detector's findings in `answer`. STATUS_UNSUPPORTED: a tool is
     * not installed or not built, and the message has the remedy; STATUS_INTERRUPTED. */
    enum status (*run)(const struct leaks_detector *detector, const char *programs,
                       const struct leaks_case *each, json_t **record, struct error *error);
};

extern const struct leaks_detector *const leaks_detector_table[]; /* ends with NULL */
/* The bare program, with which slowdowns are computed. It is in no table. */
extern const struct leaks_detector leaks_detector_none;

#endif
