/* One session of a campaign: starts the engines, follows them, exchanges their inputs, collects
 * findings, and ends the engines. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_SESSION_H
#define HEAPMILL_FUZZ_CAMPAIGN_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/log.h"
#include "fuzz/engines/launch.h"

enum { FUZZ_MEMBERS_MAX = 64 };

struct fuzz_session {
    const struct fuzz_catalog *catalog;
    const struct fuzz_program *program;
    const char *directory;
    struct fuzz_subject subject;
    enum fuzz_engine engines[FUZZ_MEMBERS_MAX]; /* one per member */
    size_t member_count;
    bool fast;
    uint64_t seed;
    uint64_t operations;
    double time_s;
    uint64_t disk_bytes_max;
    size_t findings_max; /* a limit, since a target that fails immediately would fill the disk */
    bool resumed;
    const char *trace; /* a new campaign begins with its programs (trace_seeds.h); "": none */
    bool alone; /* only the engine `member` runs here; the others share the directory elsewhere */
    size_t member; /* index into engines */
    const struct text_list *extra;
    struct fuzz_log *log;
};

enum fuzz_session_end {
    FUZZ_END_TIME,
    FUZZ_END_INTERRUPTED,
    FUZZ_END_DISK,
    FUZZ_END_FINDINGS,
    FUZZ_END_ENGINES, /* no engine runs any more */
};

struct fuzz_session_result {
    enum fuzz_session_end end;
    double wall_s;
    double cpu_s;
    uint64_t executions;
    uint64_t operations;
    size_t findings;       /* of the whole campaign */
    size_t findings_plain; /* those that are not inputs of recorded deviations */
    size_t findings_new;   /* of this session */
    size_t corpus;         /* inputs in corpus/ */
};

const char *fuzz_session_end_name(enum fuzz_session_end end);

/* Sets what campaign.json fixes: program, library, engines, fast, seed, operations. The session's
 * catalog and directory must be set already; strings are the plan's. Says on stderr if AFL++ has no
 * mutator for the target. STATUS_CORRUPT: an unknown engine; STATUS_NOT_FOUND: the target is not
 * built for an engine. Nothing has been made then. */
enum status fuzz_session_take_plan(struct fuzz_session *session, const json_t *plan,
                                   struct error *error);

/* Runs the session. STATUS_NOT_FOUND: an engine is missing; the message names the remedy.
 * STATUS_UNSUPPORTED: an engine ends immediately; the message has the end of its log. STATUS_IO. */
enum status fuzz_session_run(const struct fuzz_session *session, struct fuzz_session_result *result,
                             struct error *error);

#endif
