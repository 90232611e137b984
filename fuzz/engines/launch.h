/* How each engine is started on a fuzz target, and how it is asked what it has done.
 *
 * All of a campaign is below one directory (fuzz/FORMAT.md); a trial of `fuzz score` is the same in
 * small, with one member. */
#ifndef HEAPMILL_FUZZ_ENGINES_LAUNCH_H
#define HEAPMILL_FUZZ_ENGINES_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/crew.h"
#include "fuzz/campaign/library.h"

enum fuzz_engine {
    FUZZ_ENGINE_RANDOM, /* blind: the same input format, no feedback */
    FUZZ_ENGINE_LIBFUZZER,
    FUZZ_ENGINE_LIBFUZZER_NOMUTATOR, /* without the custom mutator: mutations of bytes */
    FUZZ_ENGINE_AFL,
    FUZZ_ENGINE_AFL_NOMUTATOR,
    FUZZ_ENGINES,
};

const char *fuzz_engine_name(enum fuzz_engine engine);

/* FUZZ_ENGINES if there is no such. */
enum fuzz_engine fuzz_engine_named(const char *name);

bool fuzz_engine_is_afl(enum fuzz_engine engine);
/* Blind random, and the variants without the mutator: what others are measured against. */
bool fuzz_engine_is_baseline(enum fuzz_engine engine);

/* How many operations an input may have unless the user says; 0: the engine draws it. */
uint64_t fuzz_engine_operations(enum fuzz_engine engine);

struct fuzz_launch {
    const struct fuzz_catalog *catalog;
    const struct fuzz_program *program;
    enum fuzz_engine engine;
    bool fast;             /* libFuzzer: the build without sanitizers */
    bool bare;             /* random: the build that differs from libFuzzer's by the engine alone */
    const char *directory; /* of the campaign or trial */
    unsigned index;        /* among this engine's members, from 0 */
    uint64_t seed;
    uint64_t operations; /* an input's longest program */
    struct fuzz_subject subject;
    bool shared;        /* AFL++ reads what libFuzzer finds: corpus/ */
    bool until_finding; /* a trial: from nothing, keeping nothing, ends at the first finding */
    bool resumed;       /* AFL++ goes on where its directory is */
    bool seeded;        /* corpus/ has programs of a trace: AFL++ begins with those */
    const struct text_list *extra; /* the user's own arguments of the engine; NULL: none */
};

/* "libfuzzer-0", "afl-1"; names logs and counters. The caller frees. */
char *fuzz_engine_member_name(const struct fuzz_launch *launch);

/* Is it built? STATUS_NOT_FOUND: the message names the remedy. Nothing is made. */
enum status fuzz_engine_check(const struct fuzz_launch *launch, struct error *error);

/* Makes the directories that the engine wants, and the job. STATUS_NOT_FOUND: not built, or there
 * is no afl-fuzz; the message names the remedy. STATUS_IO. */
enum status fuzz_engine_prepare(const struct fuzz_launch *launch, struct crew_job *job,
                                struct error *error);

/* What a member has done since it was started. Zero where nothing is known yet. */
struct fuzz_progress {
    uint64_t executions;
    uint64_t operations;
    uint64_t bug_reached;
    uint64_t bug_triggered;
    uint64_t coverage; /* edges: of this engine's own count, not to be compared with another's */
    uint64_t corpus;   /* inputs that it keeps */
    double stability;  /* AFL++: percent; 0 if unknown */
};
void fuzz_engine_read(const struct fuzz_launch *launch, struct fuzz_progress *progress);

/* Files with findings: libFuzzer's and random's are in findings/ already, AFL++'s are in its own
 * directory. Paths relative to the campaign's directory. */
void fuzz_engine_list_findings(const char *directory, struct text_list *paths);

#endif
