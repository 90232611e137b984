/* A campaign's directory: what is being fuzzed, what happened, what was found. fuzz/FORMAT.md.
 *
 * campaign.json is written once. events.jsonl is append-only, one line a write, so that a kill
 * leaves at most a torn last line, which the next session cuts off. One process writes at a time.
 * One thread. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_LOG_H
#define HEAPMILL_FUZZ_CAMPAIGN_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct fuzz_log {
    char *path; /* of the JSON Lines */
    int lock;
    int file;
    json_t *lines; /* those that were there when it was opened */
};

/* Opens DIRECTORY/NAME.jsonl for appending, with DIRECTORY/NAME.json as the plan: locks, cuts off a
 * torn last line, reads. plan NULL: it must be there, and is then in *found (the caller's). plan
 * given: it is written; STATUS_INVALID if there is one already, unless `resume` and it is equal.
 * STATUS_NOT_FOUND, STATUS_BUSY, STATUS_CORRUPT, STATUS_IO. */
enum status fuzz_log_open(struct fuzz_log *log, const char *directory, const char *name,
                          const char *lines_name, json_t *plan, bool resume, json_t **found,
                          struct error *error);

/* Appends and syncs; takes the line. STATUS_IO. */
enum status fuzz_log_append(struct fuzz_log *log, json_t *line, struct error *error);
void fuzz_log_close(struct fuzz_log *log);

/* For readers: the plan and the whole lines, without a lock. STATUS_NOT_FOUND, STATUS_CORRUPT. */
enum status fuzz_log_read(const char *directory, const char *name, const char *lines_name,
                          json_t **plan, json_t **lines, struct error *error);

#endif
