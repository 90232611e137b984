/* Finds the build in which an input fails, and a smaller input that fails in the same way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/text.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/campaign/execute.h"
#include "fuzz/campaign/triage.h"

/* Added to the time of the trials: the input itself may take a minute. */
static const double MINIMISE_SLACK_S = 120;

enum status fuzz_triage_find(const struct fuzz_program *program, const char *input,
                             const struct fuzz_subject *subject, struct fuzz_failure *failure,
                             struct fuzz_signature *signature, bool *failed, struct error *error)
{
    static const enum fuzz_tree trees[] = {FUZZ_TREE_LIBFUZZER, FUZZ_TREE_ORDINARY, FUZZ_TREE_AFL,
                                           FUZZ_TREE_FAST};
    enum status status = STATUS_OK;
    *failed = false;
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]) && status == STATUS_OK && !*failed;
         i++) {
        const char *path = program->paths[trees[i]];
        /* A sanitizer would replace the malloc of a user's library. */
        bool blind = trees[i] == FUZZ_TREE_LIBFUZZER && subject->library[0] != '\0';
        if (path != NULL && !blind) {
            *failure = (struct fuzz_failure){program, trees[i], *subject};
            /* A library may behave randomly, so it gets several tries. */
            for (int tries = fuzz_program_records(program) ? 4 : 1;
                 tries > 0 && status == STATUS_OK && !*failed; tries--) {
                status = fuzz_signature_of(path, input, subject, true, signature, failed, error);
            }
        }
    }
    return status;
}

/* Reads the figures that a target's --reduce prints at its end. false: there are none. */
static bool minimise_read(const char *output, struct fuzz_minimised *minimised)
{
    static const char word[] = "heapmill-fuzz: REDUCED ";
    const char *line = strstr(output, word);
    return line != NULL &&
           sscanf(line + sizeof(word) - 1, "%zu bytes to %zu in %zu trials", // NOLINT(cert-err34-c)
                  &minimised->size_before, &minimised->size, &minimised->tests) == 3;
}

enum status fuzz_triage_minimise(const struct fuzz_failure *failure, const char *from,
                                 const char *to, double time_s, struct fuzz_minimised *minimised,
                                 struct error *error)
{
    const char *program = failure->program->paths[failure->tree];
    char *seconds = text_format("%.3f", time_s);
    const char *const arguments[] = {program, "--reduce", from, to, seconds, NULL};
    struct fuzz_execution execution;
    enum status status = fuzz_execute(arguments, &failure->subject, false,
                                      time_s + MINIMISE_SLACK_S, &execution, error);
    *minimised = (struct fuzz_minimised){.tests = 0};
    if (status == STATUS_OK && (execution.timed_out || !minimise_read(execution.text, minimised))) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s does not reduce inputs; `heapmill fuzz build` brings it up to date",
                           program);
    }
    fuzz_execution_free(&execution);
    free(seconds);
    return status;
}
