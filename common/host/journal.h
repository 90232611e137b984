/* The journal of a long job: a directory with a plan, which never changes, and an append-only file
 * of JSON lines, one for each step that is done. Killed at any instant, the job is resumed with
 * nothing lost and nothing done twice.
 *
 * The invariants, which hold at every instant, a kill -9 or a power cut included:
 *  - The plan is there whole or not at all, and never changes.
 *  - Every line that journal_append returned STATUS_OK for is in the file of lines, or in the file
 *    of what was interrupted after a journal_repair that moved it. None is in both.
 *  - What is torn is the last line and nothing else.
 *  - One writer at a time: DIRECTORY/lock.
 *
 * A writer calls journal_begin, or journal_resume and then journal_repair; then journal_append. One
 * journal belongs to one thread. */
#ifndef HEAPMILL_COMMON_HOST_JOURNAL_H
#define HEAPMILL_COMMON_HOST_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* What a kind of job calls its files and says of them. Borrowed; usually static. */
struct journal_kind {
    const char *plan;        /* "plan.json"; NULL: the job has no plan */
    const char *lines;       /* "records.jsonl" */
    const char *interrupted; /* what journal_repair moves goes there; NULL: it is dropped */
    /* Sentences for errors. What a directory without a plan is not, and how one is made; what to do
     * about a damaged plan; what to do about a damaged line. */
    const char *if_absent;
    const char *if_plan_damaged;
    const char *if_line_damaged;
};

struct journal {
    const struct journal_kind *kind;
    char *directory;
    char *path;    /* of the lines */
    uint64_t size; /* of the whole lines, in bytes: where the next one begins */
    uint64_t torn; /* bytes behind them that a kill has left; 0 after journal_repair */
    int lock_fd;
    int lines_fd;
};

/* A line as it is read. */
struct journal_line {
    json_t *json;    /* the reader's until it returns; it may take a reference */
    uint64_t offset; /* in the file */
    uint32_t bytes;  /* without its newline */
    uint64_t number; /* from 1 */
};

/* Takes a line. Anything but STATUS_OK ends the reading; STATUS_INVALID or STATUS_CORRUPT says why
 * the line is damaged, and the caller is told so with its number and the remedy. */
typedef enum status journal_reader(void *context, const struct journal_line *line,
                                   struct error *error);

/* A journal_reader for jobs whose lines all fit in memory: appends each to the JSON array that is
 * its context. */
enum status journal_keep_line(void *array, const struct journal_line *line, struct error *error);

/* Makes the directory, locks it, and writes the plan (borrowed; NULL when the kind has none).
 * STATUS_INVALID: a job has been there already; the message names --resume. STATUS_BUSY, STATUS_IO.
 * On success the caller ends with journal_close; after an error there is nothing to close. */
enum status journal_begin(struct journal *journal, const struct journal_kind *kind,
                          const char *directory, const json_t *plan, struct error *error);

/* Locks a directory in which a job has been, and gives its lines to the reader in order. No lock
 * file is left in a directory that has no plan. plan: what the job's must be equal to; NULL: it may
 * be anything. STATUS_NOT_FOUND: there is no plan; STATUS_INVALID: another plan; STATUS_BUSY;
 * STATUS_CORRUPT: a damaged line that is not the last; STATUS_IO. As for journal_begin. */
enum status journal_resume(struct journal *journal, const struct journal_kind *kind,
                           const char *directory, const json_t *plan, journal_reader *reader,
                           void *context, struct error *error);

/* Cuts off what is torn, and the whole lines from the offset `cut` on: moves them to the end of the
 * file of what was interrupted (a torn line as {"format":"heapmill-torn-1","offset":…,"text":…}).
 * Every step is fsynced before the next; killed at any of them, the next call ends in the same
 * state. cut at journal->size, and nothing torn: nothing happens. STATUS_IO. */
enum status journal_repair(struct journal *journal, uint64_t cut, struct error *error);

/* Appends one line with one write and fsyncs. *line, which may be NULL, says where it lies.
 * STATUS_IO: nothing was written (what had been is cut off again). */
enum status journal_append(struct journal *journal, const json_t *json, struct journal_line *line,
                           struct error *error);

/* Unlocks. All zero is fine. Everything was durable already. */
void journal_close(struct journal *journal);

/* Reads a job's plan, which is the caller's; NULL after an error. STATUS_NOT_FOUND, STATUS_CORRUPT,
 * STATUS_IO. */
enum status journal_read_plan(const struct journal_kind *kind, const char *directory, json_t **plan,
                              struct error *error);

/* Gives the whole lines to the reader, without a lock, so that a job that is still going can be
 * looked at; a missing file has none. *size is where they end, *torn how many bytes follow; both
 * may be NULL. STATUS_CORRUPT, STATUS_IO. */
enum status journal_read(const struct journal_kind *kind, const char *directory,
                         journal_reader *reader, void *context, uint64_t *size, uint64_t *torn,
                         struct error *error);

#endif
