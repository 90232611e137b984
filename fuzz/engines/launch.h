/* Starts each engine on a fuzz target, and reads its progress.
 *
 * All files of a campaign are below one directory (fuzz/FORMAT.md). A trial of `fuzz score` is a
 * small campaign with one member. */
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
    FUZZ_ENGINE_RANDOM, /* blind: the same input format without feedback */
    FUZZ_ENGINE_LIBFUZZER,
    FUZZ_ENGINE_LIBFUZZER_NOMUTATOR, /* mutations of bytes, without the custom mutator */
    FUZZ_ENGINE_AFL,
    FUZZ_ENGINE_AFL_NOMUTATOR,
    FUZZ_ENGINES,
};

const char *fuzz_engine_name(enum fuzz_engine engine);

/* Returns FUZZ_ENGINES for an unknown name. */
enum fuzz_engine fuzz_engine_named(const char *name);

bool fuzz_engine_is_afl(enum fuzz_engine engine);
/* Is it blind random, or a variant without the mutator? Others are compared with these. */
bool fuzz_engine_is_baseline(enum fuzz_engine engine);

/* The default for the most operations of an input; 0: the engine draws it. */
uint64_t fuzz_engine_operations(enum fuzz_engine engine);

struct fuzz_launch {
    const struct fuzz_catalog *catalog;
    const struct fuzz_program *program;
    enum fuzz_engine engine;
    bool fast; /* libFuzzer: use the build without sanitizers */
    bool bare; /* random: use the build that differs from libFuzzer's only by the engine */
    const char *directory; /* of the campaign or trial */
    unsigned index;        /* among this engine's members, from 0 */
    uint64_t seed;
    uint64_t operations; /* the most operations of an input */
    struct fuzz_subject subject;
    bool shared;        /* AFL++ reads libFuzzer's inputs in corpus/ */
    bool until_finding; /* a trial: starts and keeps nothing, and ends at the first finding */
    bool resumed;       /* AFL++ continues with its directory */
    bool seeded;        /* corpus/ has programs of a trace: AFL++ begins with those */
    const struct text_list *extra; /* the user's own arguments for the engine; NULL: none */
};

/* "libfuzzer-0", "afl-1": the name of its log and counters. The caller frees. */
char *fuzz_engine_member_name(const struct fuzz_launch *launch);

/* Checks that the engine is built. STATUS_NOT_FOUND: the message names the remedy. Makes
 * nothing. */
enum status fuzz_engine_check(const struct fuzz_launch *launch, struct error *error);

/* Makes the directories that the engine needs, and the job. STATUS_NOT_FOUND: it is not built, or
 * afl-fuzz is missing; the message names the remedy. STATUS_IO. */
enum status fuzz_engine_prepare(const struct fuzz_launch *launch, struct crew_job *job,
                                struct error *error);

/* A member's progress since its start; 0 for what is not known yet. */
struct fuzz_progress {
    uint64_t executions;
    uint64_t operations;
    uint64_t bug_reached;
    uint64_t bug_triggered;
    uint64_t coverage; /* edges, counted differently by each engine */
    uint64_t corpus;   /* inputs that it keeps */
    double stability;  /* AFL++: percent; 0 if unknown */
};
void fuzz_engine_read(const struct fuzz_launch *launch, struct fuzz_progress *progress);

/* Adds files with findings, as paths relative to the campaign's directory. Those of libFuzzer and
 * random are already in findings/, those of AFL++ in its own directory. */
void fuzz_engine_list_findings(const char *directory, struct text_list *paths);

#endif
