/* Reads the output of a failing run into a form in which two failures can be compared. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_SIGNATURE_H
#define HEAPMILL_FUZZ_CAMPAIGN_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "fuzz/campaign/library.h"

enum { FUZZ_FRAMES = 3 };

struct fuzz_signature {
    char *kind;                /* "oracle overlap", "asan heap-use-after-free", "signal 11", … */
    char *text;                /* the message's line; "": there is none */
    char *frames[FUZZ_FRAMES]; /* heapmill's functions, the innermost first; NULL: none */
    char *places[FUZZ_FRAMES]; /* their file:line without the directory */
    char *key;                 /* kind, text without numbers, frames; equal keys mean one defect */
};

/* Reads the output of a failed run: its first message (fuzz/said.h), or the signal or exit status.
 * Own frames are those with files below allocators/, gc/, common/, workloads/, results/ or cli/. If
 * there are none (an oracle judges outside of them), frames in fuzz/ are used, without the function
 * that reports. The caller calls fuzz_signature_release. */
void fuzz_signature_read(const char *output, int exit_code, int signal, bool timed_out,
                         struct fuzz_signature *signature);
/* The path from its last folder of ours on; NULL: it is in none, or, unless fuzz, in fuzz/ itself.
 */
const char *fuzz_own_path(const char *path, bool fuzz);
void fuzz_signature_release(struct fuzz_signature *signature);

/* Runs the program on the input and reads its signature. *failed is false for a clean run, which
 * has no signature. STATUS_INTERRUPTED, STATUS_NOT_FOUND, STATUS_IO. */
enum status fuzz_signature_of(const char *program, const char *input,
                              const struct fuzz_subject *subject, bool symbolize,
                              struct fuzz_signature *signature, bool *failed, struct error *error);

#endif
