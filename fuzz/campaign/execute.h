/* Runs a fuzz binary once, on given files, and keeps all that it says: unlike process_run's, the
 * beginning, where sanitizers tell what happened and where. One thread. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_EXECUTE_H
#define HEAPMILL_FUZZ_CAMPAIGN_EXECUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "fuzz/campaign/library.h"

struct fuzz_execution {
    int exit_code;
    int signal;
    bool timed_out;
    char *text; /* stdout and stderr */
    size_t text_bytes;
};

/* arguments end with NULL. subject: NULL, or what the target is told. symbolize: addresses
 * of stack traces become names, which costs about a second. STATUS_OK: it ran, however badly;
 * STATUS_INTERRUPTED, STATUS_NOT_FOUND, STATUS_IO. fuzz_execution_free in each case. */
enum status fuzz_execute(const char *const *arguments, const struct fuzz_subject *subject,
                         bool symbolize, double time_s, struct fuzz_execution *execution,
                         struct error *error);
void fuzz_execution_free(struct fuzz_execution *execution);

/* Did it end as a clean run does? */
bool fuzz_execution_clean(const struct fuzz_execution *execution);

#endif
