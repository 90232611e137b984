/* A user's library, which malloc_abi loads and fuzzes as a black box, and how it is judged. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_LIBRARY_H
#define HEAPMILL_FUZZ_CAMPAIGN_LIBRARY_H

#include <stdbool.h>

#include "common/host/text.h"
#include "common/status.h"
#include "fuzz/campaign/catalog.h"

/* The exit status of a target that cannot load its library. */
enum { FUZZ_LIBRARY_EXIT_UNLOADABLE = 3 };

/* What a target is told through its environment (fuzz/deviation.h). NULL and "" say nothing. */
struct fuzz_subject {
    const char *library;
    const char *profile;
    const char *skip;
    const char *only;
    bool careful; /* contents are compared after each operation */
};

/* subject may be NULL. */
void fuzz_subject_add_settings(const struct fuzz_subject *subject, struct text_list *settings);
/* "HEAPMILL_FUZZ_LIBRARY=… " for a line that a user repeats; "" where nothing is told. The caller
 * frees. */
char *fuzz_subject_prefix(const struct fuzz_subject *subject);

/* Is it compiled for an engine that follows coverage? It is fuzzed by libFuzzer then, and blindly
 * otherwise: nothing tells an engine what an input did in it. */
bool fuzz_library_is_instrumented(const char *library);

/* Loads it in the target and plays the empty input. STATUS_NOT_FOUND: it cannot be loaded, or has
 * no malloc of its own; the message has the loader's words and the remedy. What is wrong with its
 * malloc is no error here. */
enum status fuzz_library_check(const struct fuzz_program *program,
                               const struct fuzz_subject *subject, struct error *error);

/* The error for what such a target printed. */
enum status fuzz_library_refuse(const char *library, const char *output, struct error *error);

#endif
