/* The journals of a campaign and of a score: what is fuzzed, what happened, what was found. See
 * fuzz/FORMAT.md. One thread. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_LOG_H
#define HEAPMILL_FUZZ_CAMPAIGN_LOG_H

#include <jansson.h>

#include "common/host/journal.h"
#include "common/status.h"

extern const struct journal_kind fuzz_campaign_journal; /* campaign.json, events.jsonl */
extern const struct journal_kind fuzz_score_journal;    /* score.json, trials.jsonl */

struct fuzz_log {
    struct journal journal;
    json_t *lines; /* the lines that existed when it was opened */
};

/* Opens a directory for appending, and cuts off a torn last line. If *plan is NULL, the journal
 * must exist, and *plan gets a new reference to its plan. Otherwise it must not exist, and begins
 * with *plan. Errors as journal_begin and journal_resume. */
enum status fuzz_log_open(struct fuzz_log *log, const struct journal_kind *kind,
                          const char *directory, json_t **plan, struct error *error);

/* Appends and syncs a line, whose reference it takes. STATUS_IO. */
enum status fuzz_log_append(struct fuzz_log *log, json_t *line, struct error *error);

/* A zeroed log is allowed. */
void fuzz_log_close(struct fuzz_log *log);

/* Reads the plan and the whole lines without a lock. Both are new references, NULL after an error.
 * STATUS_NOT_FOUND, STATUS_CORRUPT, STATUS_IO. */
enum status fuzz_log_read(const struct journal_kind *kind, const char *directory, json_t **plan,
                          json_t **lines, struct error *error);

#endif
