/* Sorts a campaign's findings into defects: a group of findings, a small input and a reproducer for
 * each. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_TRIAGE_H
#define HEAPMILL_FUZZ_CAMPAIGN_TRIAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/signature.h"

/* How an input fails, and in which build. */
struct fuzz_failure {
    const struct fuzz_program *program;
    enum fuzz_tree tree; /* the build in which it fails */
    struct fuzz_subject subject;
};

/* Tries the builds, the most informative first: with sanitizers, then the ordinary one, then
 * AFL++'s. *failed is false if it fails in none. Function names are looked up. */
enum status fuzz_triage_find(const struct fuzz_program *program, const char *input,
                             const struct fuzz_subject *subject, struct fuzz_failure *failure,
                             struct fuzz_signature *signature, bool *failed, struct error *error);

struct fuzz_minimised {
    size_t size_before;
    size_t size;
    size_t tests;
};

/* Writes a smaller input to `to` that fails in the same way: with the same message, apart from
 * numbers. The target itself does the work (fuzz/engines/engine_reduce.c), for at most time_s. An
 * input that passes or hangs there is copied unchanged. STATUS_INTERRUPTED, STATUS_IO,
 * STATUS_UNSUPPORTED: the program is too old for this. */
enum status fuzz_triage_minimise(const struct fuzz_failure *failure, const char *from,
                                 const char *to, double time_s, struct fuzz_minimised *minimised,
                                 struct error *error);

/* Writes a C file that contains the input, and its decoded program as a comment, and calls the
 * target on it. Its first lines have the cc line that builds it against the sources; *line gets
 * that line too (the caller frees). STATUS_NOT_FOUND: the ordinary tree has no
 * compile_commands.json for the target. */
enum status fuzz_triage_write_reproducer(const struct fuzz_catalog *catalog,
                                         const struct fuzz_failure *failure,
                                         const struct fuzz_signature *signature, const char *input,
                                         const char *path, char **line, struct error *error);

/* The input as text, an operation a line below lines that begin with "#"; "" where no tree can say.
 * The caller frees. */
char *fuzz_triage_decode(const struct fuzz_failure *failure, const char *input);

/* What an oracle sees may have been broken long before. The input is played again, and every oracle
 * of the target's state asked after each operation: *step says which operation broke it first, and
 * which functions ran in that one and in few or none before it, the most suspect first. The caller
 * frees; NULL: it is not seen so, or not by an oracle of state. STATUS_INTERRUPTED, STATUS_IO. */
enum status fuzz_triage_find_step(const struct fuzz_failure *failure,
                                  const struct fuzz_signature *signature, const char *input,
                                  char **step, struct error *error);

/* Findings of one defect. */
struct fuzz_triage_group {
    struct fuzz_signature signature;
    struct fuzz_failure failure;
    struct text_list findings; /* paths below the campaign's directory */
    size_t smallest;           /* index of the smallest */
    size_t smallest_bytes;
    struct fuzz_minimised minimised;
    char *input;
    char *reproducer; /* "": there is none */
    char *command;    /* "": there is none */
    char *step;       /* which operation of the small input broke it first; NULL: unknown */
};

struct fuzz_triage {
    const char *directory;
    double time_s;
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    json_t *plan;                /* of the campaign */
    struct fuzz_subject subject; /* of the plan */
    struct fuzz_triage_group *groups;
    size_t count;
    struct text_list keys;    /* of deviations; groups refer to them */
    struct text_list passing; /* findings that fail in no existing build */
};

/* Replays every finding of the campaign in the directory, groups them, reduces the smallest of each
 * group for up to time_s, and writes DIRECTORY/triage/N.input, N.c and N.txt. stderr says why a
 * reproducer could not be written. Call fuzz_triage_release in every case. STATUS_NOT_FOUND: there
 * is no campaign, or no build; STATUS_CORRUPT, STATUS_IO, STATUS_INTERRUPTED. */
enum status fuzz_triage_run(const char *directory, double time_s, struct fuzz_triage *triage,
                            struct error *error);
void fuzz_triage_release(struct fuzz_triage *triage);

#endif
