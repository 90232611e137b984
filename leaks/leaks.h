/* `heapmill leaks`: runs programs with planted leaks (leaks/planted/) under detectors, and scores
 * what they say. One thread.
 *
 * Prefixes: leak_ is inside a planted program; leaks_ is here, where such programs are run and
 * judged; leaktrack_ is the tracker that is preloaded into a user's own program. */
#ifndef HEAPMILL_LEAKS_LEAKS_H
#define HEAPMILL_LEAKS_LEAKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/document.h"
#include "common/host/text.h"
#include "common/status.h"

struct leaks_options {
    const char *programs; /* the directory of the programs heapmill-leak-* */
    const char *output;   /* a directory; records.jsonl is in it */
    uint64_t cases;       /* of each kind and back end, with as many clean twins */
    uint64_t seed;
    struct text_list detectors; /* none: all. So for these three. */
    struct text_list backends;
    struct text_list kinds;
    const char *plot; /* a directory; NULL: no picture */
    bool json;
};

/* Does everything that the records do not have yet; *records is an array of all, the caller's.
 * STATUS_INTERRUPTED, STATUS_UNSUPPORTED as the detectors say. *skipped counts runs that failed or
 * need what is not there, each kind of reason printed once. */
enum status leaks_run(const struct leaks_options *options, json_t **records, uint64_t *skipped,
                      struct error *error);

/* {rows: […]} as `heapmill leaks --help` says; a new reference. */
json_t *leaks_score(const json_t *records);

/* Rows of a score in which the detectors of our own together missed a leak or suspected a clean
 * program. Only where all of them ran over a kind does that mean anything. */
size_t leaks_faults(const json_t *score);

/* A score as a table. */
void leaks_report(const json_t *score, struct document *document);

/* The records of a run's directory, an array, without a lock; the caller's. STATUS_CORRUPT,
 * STATUS_IO. */
enum status leaks_read(const char *directory, json_t **records, struct error *error);

#endif
