/* A user's library, which malloc_abi loads and fuzzes as a black box. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_LIBRARY_H
#define HEAPMILL_FUZZ_CAMPAIGN_LIBRARY_H

#include "common/host/text.h"
#include "common/status.h"
#include "fuzz/campaign/catalog.h"

/* The exit status of a target that cannot load its library. */
enum { FUZZ_LIBRARY_EXIT_UNLOADABLE = 3 };

/* What a target needs in its environment: the library's path, and room for its thread-local
 * variables where they are of the static kind (jemalloc, scudo). Nothing for "". */
void fuzz_library_add_settings(const char *library, struct text_list *settings);

/* Loads it in the target and plays the empty input. STATUS_NOT_FOUND: it cannot be loaded, or has
 * no malloc of its own; the message has the loader's words and the remedy. What is wrong with its
 * malloc is no error here. */
enum status fuzz_library_check(const struct fuzz_program *program, const char *library,
                               struct error *error);

/* The error for what such a target printed. */
enum status fuzz_library_refuse(const char *library, const char *output, struct error *error);

#endif
