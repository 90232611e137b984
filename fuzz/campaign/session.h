/* One session of a campaign: starts the engines, follows them, exchanges their inputs, collects
 * findings, and ends them. */
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
    enum fuzz_engine engines[FUZZ_MEMBERS_MAX]; /* one for each member */
    size_t member_count;
    bool fast;
    uint64_t seed;
    uint64_t operations;
    double time_s;
    uint64_t disk_bytes_max;
    size_t findings_max; /* a target that fails at once would otherwise fill the disk */
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
    FUZZ_END_ENGINES, /* none of them runs any more */
};

struct fuzz_session_result {
    enum fuzz_session_end end;
    double wall_s;
    double cpu_s;
    uint64_t executions;
    uint64_t operations;
    size_t findings;       /* in the whole campaign */
    size_t findings_plain; /* those that are no recorded deviation's input */
    size_t findings_new;   /* in this session */
    size_t corpus;         /* inputs kept in corpus/ */
};

const char *fuzz_session_end_name(enum fuzz_session_end end);

/* Fills in what campaign.json fixes: program, library, engines, fast, seed, operations. The
 * session's catalog and directory are there already; strings are the plan's. Says on stderr when
 * AFL++ has no mutator of operations for the target. STATUS_CORRUPT: an engine is not known;
 * STATUS_NOT_FOUND: the target is not built for one; nothing has been made then. */
enum status fuzz_session_take_plan(struct fuzz_session *session, const json_t *plan,
                                   struct error *error);

/* STATUS_NOT_FOUND: an engine is not there; the message names the remedy. STATUS_UNSUPPORTED: an
 * engine ends at once; the message has the end of its log. STATUS_IO. */
enum status fuzz_session_run(const struct fuzz_session *session, struct fuzz_session_result *result,
                             struct error *error);

#endif
