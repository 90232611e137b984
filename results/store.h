/* The append-only store of a result directory (results/FORMAT.md says what is in it).
 *
 * These invariants hold at every instant, also after a kill -9 or a power cut:
 *  - plan.json is there whole or not at all, and never changes.
 *  - Every record for which store_append returned STATUS_OK is in records.jsonl or, if its group
 *    was cut short, in interrupted.jsonl after the next store_resume. None is in both.
 *  - Only the last line can be torn.
 *  - There is one writer at a time: DIR/lock.
 *
 * A group is complete in (pass, round) when each of its planned cells has a record: all of the
 * group's cells in the time pass, those with twin 0 in the memory pass. Groups are written one
 * after the other: store_append refuses to begin another while one is incomplete. A resume moves an
 * incomplete last group away, and so the whole group runs again: the halves of a pair are never far
 * apart in time.
 *
 * One store belongs to one thread. */
#ifndef HEAPMILL_RESULTS_STORE_H
#define HEAPMILL_RESULTS_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "results/record.h"

struct store;

/* Makes the directory (and its parents), locks it, and writes the plan under a temporary name,
 * which is fsynced and renamed. plan is borrowed and checked: format, cells with distinct ids.
 * STATUS_INVALID: the directory already has a plan (the message names --resume), or the plan is
 * invalid. STATUS_BUSY: another process is writing there; the message names it. STATUS_IO. On
 * success the caller calls store_close. */
enum status store_create(const char *directory, const json_t *plan, struct store **store,
                         struct error *error);

/* Opens a directory to continue its run: locks it, and moves a torn last line and the records of an
 * interrupted group to interrupted.jsonl (which is fsynced before records.jsonl is cut; a kill in
 * between duplicates nothing). STATUS_NOT_FOUND: there is no plan. STATUS_BUSY. STATUS_CORRUPT: a
 * damaged line that is not the last; the message has its number and the remedy. STATUS_IO. */
enum status store_resume(const char *directory, struct store **store, struct error *error);

/* Borrowed until store_close. */
const json_t *store_plan(const struct store *store);

/* The records so far, marked by disturbance_mark(…, round_limit). Borrowed until the next
 * append. */
const struct record_set *store_survey(struct store *store, uint32_t round_limit);

/* The last round of the time pass that has a record; 0 if none has. */
uint32_t store_round_last(const struct store *store);

/* The run's elapsed time when its last record was made, and the number of rounds of the time pass
 * that have records. STATUS_IO: the last record cannot be read. */
enum status store_read_elapsed(const struct store *store, double *elapsed_s, uint32_t *rounds,
                               struct error *error);

/* The number of records in records.jsonl now. */
uint64_t store_record_count(const struct store *store);

/* The number of records that store_resume moved to interrupted.jsonl, with a torn line. */
uint64_t store_interrupted_count(const struct store *store);

/* Adds `sequence` to the record (which stays the caller's), appends it as one line with one write,
 * and fsyncs. The record needs `format`, `cell`, `pass`, `round` and `status`, and what FORMAT.md
 * requires of an ok record (time pass: `cpu_ns_per_op` above 0, `wall_ns`, `operations`; memory
 * pass: `memory`). STATUS_INVALID: the record is invalid, its cell is not planned or already done,
 * or another group is incomplete; nothing was written. STATUS_IO: nothing was written either (a
 * part of the line is cut off again). */
enum status store_append(struct store *store, json_t *record, struct error *error);

/* Does the cell have a record in this round of this pass? false for a cell that is not planned. */
bool store_is_done(const struct store *store, enum record_pass pass, uint32_t round,
                   const char *cell);

/* The run has ended: writes the directory's manifest (results/manifest.h), which the next append
 * takes away again. STATUS_IO. */
enum status store_finish(const struct store *store, struct error *error);

/* Unlocks and frees the store. NULL is allowed. All records are already durable. */
void store_close(struct store *store);

/* Reads a directory for compare and plot. Writes nothing and takes no lock, so that a run can be
 * read while it is going on. A torn last line and the records of an interrupted group are left out,
 * with a note. On success the caller calls record_set_free. STATUS_NOT_FOUND: there is no plan.
 * STATUS_CORRUPT: a damaged file; the message has the line number and the remedy. STATUS_IO,
 * STATUS_NO_MEMORY. */
enum status store_load(const char *directory, struct record_set **set, struct error *error);

#endif
