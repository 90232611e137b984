/* The journals of a campaign and of a score: what is being fuzzed, what happened, what was found.
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
    json_t *lines; /* those that were there when it was opened */
};

/* Opens a directory for appending; a torn last line is cut off. *plan NULL: the journal must be
 * there, and its plan is then in *plan (the caller's). Else it must not be there, and begins with
 * that plan. Errors are those of journal_begin and journal_resume. */
enum status fuzz_log_open(struct fuzz_log *log, const struct journal_kind *kind,
                          const char *directory, json_t **plan, struct error *error);

/* Appends and syncs; takes the line. STATUS_IO. */
enum status fuzz_log_append(struct fuzz_log *log, json_t *line, struct error *error);

/* All zero is fine. */
void fuzz_log_close(struct fuzz_log *log);

/* For readers: the plan and the whole lines, without a lock. Both are the caller's, NULL after an
 * error. STATUS_NOT_FOUND, STATUS_CORRUPT, STATUS_IO. */
enum status fuzz_log_read(const struct journal_kind *kind, const char *directory, json_t **plan,
                          json_t **lines, struct error *error);

#endif
