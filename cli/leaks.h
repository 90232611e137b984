/* The parts of `heapmill leaks`. One thread. */
#ifndef HEAPMILL_CLI_LEAKS_H
#define HEAPMILL_CLI_LEAKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

struct leaks_options {
    const char *output; /* a directory; records.jsonl is in it */
    uint64_t cases;     /* of each kind and back end, with as many clean twins */
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

/* Draws leaks.* of a score into the directory. STATUS_UNSUPPORTED: there is no gnuplot, the table
 * and the script are written; STATUS_IO; STATUS_INVALID: there is nothing to draw. */
enum status leaks_plot(const json_t *score, const char *directory, const char *command,
                       struct error *error);

/* The command line of `heapmill leaks` without a command to judge; an exit status. */
int leaks_matrix(int argc, char **argv);

#endif
