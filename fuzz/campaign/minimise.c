/* Finding the build in which an input fails, and a smaller input that fails likewise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/campaign/files.h"
#include "fuzz/campaign/reduce.h"
#include "fuzz/campaign/triage.h"
#include "fuzz/palette.h"

enum { MINIMISE_TESTS_MAX = 20000 };

enum status fuzz_triage_find(const struct fuzz_program *program, const char *input,
                             const char *library, struct fuzz_failure *failure,
                             struct fuzz_signature *signature, bool *failed, struct error *error)
{
    static const enum fuzz_tree trees[] = {FUZZ_TREE_LIBFUZZER, FUZZ_TREE_ORDINARY, FUZZ_TREE_AFL,
                                           FUZZ_TREE_FAST};
    enum status status = STATUS_OK;
    *failed = false;
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]) && status == STATUS_OK && !*failed;
         i++) {
        const char *path = program->paths[trees[i]];
        /* A sanitizer replaces the malloc of a user's library too. */
        bool blind = trees[i] == FUZZ_TREE_LIBFUZZER && library[0] != '\0';
        if (path != NULL && !blind) {
            *failure = (struct fuzz_failure){program, trees[i], library};
            status = fuzz_signature_of(path, input, library, true, signature, failed, error);
        }
    }
    return status;
}

/* What the reduction asks of each trial. */
struct minimise_context {
    const struct fuzz_failure *failure;
    char *key;  /* of the failure, as runs without names of functions tell it */
    char *file; /* the trial is written here */
};

/* The frames are left out: looking their names up would take a second for each trial. The kind and
 * the oracle's text stay. */
static char *minimise_plain_key(const char *key)
{
    const char *bar = strchr(key, '|');
    const char *end = bar != NULL ? strchr(bar + 1, '|') : NULL;
    return end != NULL ? text_format("%.*s", (int)(end - key), key) : text_format("%s", key);
}

static enum status minimise_test(void *context, const uint8_t *bytes, size_t size, bool *holds,
                                 struct error *error)
{
    struct minimise_context *minimise = context;
    struct fuzz_signature signature;
    bool failed = false;
    *holds = false;
    enum status status = fuzz_write_file(minimise->file, bytes, size, error);
    if (status == STATUS_OK) {
        const struct fuzz_failure *failure = minimise->failure;
        status = fuzz_signature_of(failure->program->paths[failure->tree], minimise->file,
                                   failure->library, false, &signature, &failed, error);
    }
    if (status == STATUS_OK && failed) {
        char *key = minimise_plain_key(signature.key);
        *holds = strcmp(key, minimise->key) == 0;
        free(key);
        fuzz_signature_release(&signature);
    }
    return status;
}

enum status fuzz_triage_minimise(const struct fuzz_failure *failure,
                                 const struct fuzz_signature *signature, const char *from,
                                 const char *to, double time_s, struct fuzz_minimised *minimised,
                                 struct error *error)
{
    char *bytes;
    size_t size;
    enum status status = fuzz_read_file(from, &bytes, &size, error);
    struct minimise_context context = {.failure = failure,
                                       .key = minimise_plain_key(signature->key),
                                       .file = text_format("%s.trial", to)};
    struct fuzz_reduce reduce = {.test = minimise_test,
                                 .context = &context,
                                 .header_bytes = PALETTE_HEADER_BYTES,
                                 .unit_bytes = PALETTE_OPERATION_BYTES,
                                 .tests_max = MINIMISE_TESTS_MAX,
                                 .time_s_max = time_s};
    *minimised = (struct fuzz_minimised){.size_before = size};
    /* A hang would take a minute for each trial. */
    if (status == STATUS_OK && strcmp(signature->kind, "timeout") != 0) {
        status = fuzz_reduce_input(&reduce, (uint8_t *)bytes, &size, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_write_file(to, bytes, size, error);
    }
    minimised->size = size;
    minimised->tests = reduce.tests;
    (void)unlink(context.file);
    free(context.file);
    free(context.key);
    free(bytes);
    return status;
}
