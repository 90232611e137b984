/* Runs a fuzz binary once on given files and keeps all its output. process_run keeps only the end
 * of stderr, but sanitizers say at its beginning what happened where. One thread. */
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

/* Runs the program; arguments end with NULL. subject: settings for the target, or NULL. symbolize:
 * turns addresses in stack traces into names, which takes about a second. STATUS_OK: it ran, and
 * ended well or badly; STATUS_INTERRUPTED, STATUS_NOT_FOUND, STATUS_IO. Call fuzz_execution_free in
 * every case. */
enum status fuzz_execute(const char *const *arguments, const struct fuzz_subject *subject,
                         bool symbolize, double time_s, struct fuzz_execution *execution,
                         struct error *error);
void fuzz_execution_free(struct fuzz_execution *execution);

/* Did it end like a clean run? */
bool fuzz_execution_clean(const struct fuzz_execution *execution);

#endif
