/* What a failing run says of itself, in a form in which two failures can be told apart or taken for
 * one. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_SIGNATURE_H
#define HEAPMILL_FUZZ_CAMPAIGN_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "fuzz/campaign/library.h"

enum { FUZZ_FRAMES = 3 };

struct fuzz_signature {
    char *kind;                /* "oracle overlap", "asan heap-use-after-free", "signal 11", … */
    char *text;                /* the line that says it; "" if none does */
    char *frames[FUZZ_FRAMES]; /* functions of ours, the innermost first; NULL: none */
    char *places[FUZZ_FRAMES]; /* their file:line, the directory left out */
    char *key;                 /* kind, text without its numbers, frames: equal keys, one defect */
};

/* Reads the output of a run that failed: its first message (fuzz/said.h), or the signal or exit
 * status. Own frames are those whose file is below allocators/, gc/, common/, workloads/, results/
 * or cli/; where there are none (an oracle judges outside of them), those in fuzz/, but for the
 * function that reports. fuzz_signature_release. */
void fuzz_signature_read(const char *output, int exit_code, int signal, bool timed_out,
                         struct fuzz_signature *signature);
/* The path from its last folder of ours on; NULL: it is in none, or, unless fuzz, in fuzz/ itself.
 */
const char *fuzz_own_path(const char *path, bool fuzz);
void fuzz_signature_release(struct fuzz_signature *signature);

/* Runs the program on the input and reads its signature; *failed is false for a clean run, which
 * has none. STATUS_INTERRUPTED, STATUS_NOT_FOUND, STATUS_IO. */
enum status fuzz_signature_of(const char *program, const char *input,
                              const struct fuzz_subject *subject, bool symbolize,
                              struct fuzz_signature *signature, bool *failed, struct error *error);

#endif
