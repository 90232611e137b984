/* The journal of a long job: a directory with a plan, which never changes, and an append-only file
 * of JSON lines, one for each finished step. A job that was killed at any instant can be resumed;
 * nothing is lost or done twice.
 *
 * These invariants hold at every instant, also after a kill -9 or a power cut:
 *  - The plan is there whole or not at all, and never changes.
 *  - Every line for which journal_append returned STATUS_OK is in the file of lines or, after a
 *    journal_repair that moved it, in the file of interrupted lines. None is in both.
 *  - Only the last line can be torn.
 *  - There is one writer at a time: DIRECTORY/lock.
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

/* The file names and messages of a kind of job. Borrowed; usually static. */
struct journal_kind {
    const char *plan;        /* "plan.json"; NULL: the job has no plan */
    const char *lines;       /* "records.jsonl" */
    const char *interrupted; /* journal_repair moves lines to it; NULL: drops them */
    /* Sentences for errors: if a directory has no plan, what it is not and how one is made; what to
     * do about a damaged plan; what to do about a damaged line. */
    const char *if_absent;
    const char *if_plan_damaged;
    const char *if_line_damaged;
};

struct journal {
    const struct journal_kind *kind;
    char *directory;
    char *path;    /* of the file of lines */
    uint64_t size; /* bytes of the whole lines: the offset of the next one */
    uint64_t torn; /* bytes after them that a kill has left; 0 after journal_repair */
    int lock_fd;
    int lines_fd;
};

/* A line that is being read. */
struct journal_line {
    json_t *json;    /* valid until the reader returns; it may take a reference */
    uint64_t offset; /* in the file */
    uint32_t bytes;  /* without its newline */
    uint64_t number; /* from 1 */
};

/* Reads a line. Any status but STATUS_OK ends the reading. STATUS_INVALID or STATUS_CORRUPT says
 * why the line is damaged; the caller's error then has the line's number and the remedy. */
typedef enum status journal_reader(void *context, const struct journal_line *line,
                                   struct error *error);

/* A journal_reader for jobs whose lines all fit in memory. Its context is a JSON array, to which it
 * appends each line. */
enum status journal_keep_line(void *array, const struct journal_line *line, struct error *error);

/* Makes the directory, locks it, and writes the plan (borrowed; NULL if the kind has none).
 * STATUS_INVALID: the directory already has a job; the message names --resume. STATUS_BUSY,
 * STATUS_IO. On success the caller calls journal_close; after an error there is nothing to
 * close. */
enum status journal_begin(struct journal *journal, const struct journal_kind *kind,
                          const char *directory, const json_t *plan, struct error *error);

/* Locks the directory of an existing job, and gives its lines to the reader in order. A directory
 * without a plan gets no lock file. plan: what the job's plan must equal; NULL: any plan.
 * STATUS_NOT_FOUND: there is no plan; STATUS_INVALID: it is another plan; STATUS_BUSY;
 * STATUS_CORRUPT: a damaged line that is not the last; STATUS_IO. The caller calls journal_close as
 * after journal_begin. */
enum status journal_resume(struct journal *journal, const struct journal_kind *kind,
                           const char *directory, const json_t *plan, journal_reader *reader,
                           void *context, struct error *error);

/* Removes the torn line, and the whole lines from the offset `cut` on: moves them to the end of the
 * file of interrupted lines (a torn line as {"format":"heapmill-torn-1","offset":…,"text":…}).
 * Every step is fsynced before the next. If it is killed at any step, the next call reaches the
 * same state. Does nothing if cut is journal->size and nothing is torn. STATUS_IO. */
enum status journal_repair(struct journal *journal, uint64_t cut, struct error *error);

/* Appends one line with one write, and fsyncs. *line (line may be NULL) gets its place. STATUS_IO:
 * nothing was written (a part of the line is cut off again). */
enum status journal_append(struct journal *journal, const json_t *json, struct journal_line *line,
                           struct error *error);

/* Unlocks. A zeroed journal is allowed. All lines are already durable. */
void journal_close(struct journal *journal);

/* Reads a job's plan into a new reference; NULL after an error. STATUS_NOT_FOUND, STATUS_CORRUPT,
 * STATUS_IO. */
enum status journal_read_plan(const struct journal_kind *kind, const char *directory, json_t **plan,
                              struct error *error);

/* Gives the whole lines to the reader without a lock, so that a running job can be read. A missing
 * file has no lines. *size is their size, *torn the number of bytes after them; both pointers may
 * be NULL. STATUS_CORRUPT, STATUS_IO. */
enum status journal_read(const struct journal_kind *kind, const char *directory,
                         journal_reader *reader, void *context, uint64_t *size, uint64_t *torn,
                         struct error *error);

#endif
