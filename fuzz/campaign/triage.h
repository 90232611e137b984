/* Parts of triage and tmin. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_TRIAGE_H
#define HEAPMILL_FUZZ_CAMPAIGN_TRIAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/signature.h"

/* Where and how an input fails. */
struct fuzz_failure {
    const struct fuzz_program *program;
    enum fuzz_tree tree; /* the build that shows it */
    const char *library;
};

/* Tries the builds in turn, those that say most first: with sanitizers, then the ordinary one, then
 * AFL++'s. *failed false: none of them fails. Names of functions are looked up. */
enum status fuzz_triage_find(const struct fuzz_program *program, const char *input,
                             const char *library, struct fuzz_failure *failure,
                             struct fuzz_signature *signature, bool *failed, struct error *error);

struct fuzz_minimised {
    size_t size_before;
    size_t size;
    size_t tests;
};

/* Writes to `to` a smaller input that fails in the same way: it says the same, numbers left out.
 * The target does it by itself (fuzz/engines/engine_reduce.c). An input that passes or hangs there
 * is copied as it is. time_s bounds it. STATUS_INTERRUPTED, STATUS_IO, STATUS_UNSUPPORTED: the
 * program is too old for it. */
enum status fuzz_triage_minimise(const struct fuzz_failure *failure, const char *from,
                                 const char *to, double time_s, struct fuzz_minimised *minimised,
                                 struct error *error);

/* Writes a C file that has the input in it, with the program that it is as a comment, and that
 * calls the target on it. Its first lines have the one cc line that builds it against the sources,
 * which is also in *line (the caller's). STATUS_NOT_FOUND: the ordinary tree has no
 * compile_commands.json for the target. */
enum status fuzz_triage_write_reproducer(const struct fuzz_catalog *catalog,
                                         const struct fuzz_failure *failure,
                                         const struct fuzz_signature *signature, const char *input,
                                         const char *path, char **line, struct error *error);

#endif
