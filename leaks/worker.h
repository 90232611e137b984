/* Starts one leak worker (leaks/planted/WORKER.md), bare or under a tool. */
#ifndef HEAPMILL_LEAKS_WORKER_H
#define HEAPMILL_LEAKS_WORKER_H

#include <jansson.h>

#include "common/status.h"
#include "leaks/detectors.h"

enum { LEAKS_WORKER_TIMEOUT_S = 300 };

/* Strings are borrowed during the call. */
struct leaks_worker {
    const char *programs; /* a directory */
    const char *program;  /* a file name in it */
    const struct leaks_case *each;
    const char *detector;          /* one inside the worker; "none" */
    const char *sanitizer_options; /* "ASAN_OPTIONS=…"; NULL: leaks are not reported */
    const char *const *wrapper;    /* words before the program, ending with NULL; may be NULL */
};

/* Runs the worker. *record is a new reference to its last line, with `process_s` (CPU seconds of
 * the process and its children) and `first_report_s` (wall time of the process).
 * STATUS_UNSUPPORTED: the worker is not built; STATUS_IO: it failed; STATUS_INTERRUPTED. */
enum status leaks_worker_start(const struct leaks_worker *worker, json_t **record,
                               struct error *error);

/* Runs a command that reads the files of the worker's run, and adds its times to the record. The
 * caller frees *text, its output. STATUS_IO: it failed; STATUS_INTERRUPTED. */
enum status leaks_worker_read_tool(const char *const *arguments, json_t *record, char **text,
                                   struct error *error);

#endif
