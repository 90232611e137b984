/* `heapmill leaks`: runs programs with planted leaks (leaks/planted/) under detectors, and scores
 * the detectors. One thread.
 *
 * Prefixes: leak_ is code inside a planted program; leaks_ is code here, which runs and judges such
 * programs; leaktrack_ is the tracker that is preloaded into a user's own program. */
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
    const char *output;   /* a directory with records.jsonl */
    uint64_t cases;       /* for each kind and back end, and as many clean twins */
    uint64_t seed;
    struct text_list detectors; /* none: all; also for the next two */
    struct text_list backends;
    struct text_list kinds;
    const char *plot; /* a directory; NULL: no picture */
    bool json;
};

/* Runs the cases that the records lack. *records is a new reference to an array of all records.
 * STATUS_INTERRUPTED, STATUS_UNSUPPORTED as the detectors. *skipped counts runs that failed or
 * lacked something; each reason is printed once. */
enum status leaks_run(const struct leaks_options *options, json_t **records, uint64_t *skipped,
                      struct error *error);

/* {rows: […]} as `heapmill leaks --help` describes it; a new reference. */
json_t *leaks_score(const json_t *records);

/* Counts the rows of a score in which heapmill's own detectors together missed a leak or suspected
 * a clean program. It is meaningful only if all of them ran on a kind. */
size_t leaks_faults(const json_t *score);

/* Adds a score as a table. */
void leaks_report(const json_t *score, struct document *document);

/* Reads the records of a run's directory without a lock; *records is a new array. STATUS_CORRUPT,
 * STATUS_IO. */
enum status leaks_read(const char *directory, json_t **records, struct error *error);

#endif
