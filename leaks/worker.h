/* Starts one leak worker (leaks/planted/WORKER.md), bare or under a tool. */
#ifndef HEAPMILL_LEAKS_WORKER_H
#define HEAPMILL_LEAKS_WORKER_H

#include <jansson.h>

#include "common/status.h"
#include "leaks/detectors.h"

enum { LEAKS_WORKER_TIMEOUT_S = 300 };

/* Strings are borrowed for the call. */
struct leaks_worker {
    const char *programs; /* a directory */
    const char *program;  /* a file name in it */
    const struct leaks_case *each;
    const char *detector;          /* the worker's own; "none" */
    const char *sanitizer_options; /* "ASAN_OPTIONS=…"; NULL: planted leaks are no news to it */
    const char *const *wrapper;    /* what stands before the program, ends with NULL; may be NULL */
};

/* *record is the worker's last line, a new reference, with `process_s` (CPU time of the process and
 * what it started, in seconds) and `first_report_s` (from the start to the end of the process, by
 * the wall clock) of this run. STATUS_UNSUPPORTED: it is not built; STATUS_IO: it failed;
 * STATUS_INTERRUPTED. */
enum status leaks_worker_start(const struct leaks_worker *worker, json_t **record,
                               struct error *error);

/* Runs a command that reads what the worker's run left behind; its times are added to the record's.
 * *text is its output, the caller's. STATUS_IO: it failed; STATUS_INTERRUPTED. */
enum status leaks_worker_read_tool(const char *const *arguments, json_t *record, char **text,
                                   struct error *error);

#endif
