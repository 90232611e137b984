/* A user's library, which malloc_abi loads and fuzzes as a black box. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_LIBRARY_H
#define HEAPMILL_FUZZ_CAMPAIGN_LIBRARY_H

#include <stdbool.h>

#include "common/host/text.h"
#include "common/status.h"
#include "fuzz/campaign/catalog.h"

/* The exit status of a target that cannot load the library. */
enum { FUZZ_LIBRARY_EXIT_UNLOADABLE = 3 };

/* The target's settings, passed in its environment (fuzz/deviation.h). NULL and "" set nothing. */
struct fuzz_subject {
    const char *library;
    const char *profile;
    const char *skip;
    const char *only;
    bool careful; /* compare contents after each operation */
};

/* Adds the settings. subject may be NULL. */
void fuzz_subject_add_settings(const struct fuzz_subject *subject, struct text_list *settings);
/* "HEAPMILL_FUZZ_LIBRARY=… " for a command line that a user repeats; "" without settings. The
 * caller frees. */
char *fuzz_subject_prefix(const struct fuzz_subject *subject);

/* Is the library compiled for an engine that follows coverage? If so, libFuzzer fuzzes it.
 * Otherwise it is fuzzed blindly, since no engine can see what an input did in it. */
bool fuzz_library_is_instrumented(const char *library);

/* Loads the library in the target and plays the empty input. STATUS_NOT_FOUND: it cannot be loaded,
 * or has no malloc of its own; the message has the loader's words and the remedy. Errors of its
 * malloc are not reported here. */
enum status fuzz_library_check(const struct fuzz_program *program,
                               const struct fuzz_subject *subject, struct error *error);

/* Makes an error of what such a target printed. */
enum status fuzz_library_refuse(const char *library, const char *output, struct error *error);

#endif
