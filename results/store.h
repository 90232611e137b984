/* The append-only store of a result directory (results/FORMAT.md says what is in it).
 *
 * The invariants, which hold at every instant, a kill -9 or a power cut included:
 *  - plan.json is there whole or not at all, and never changes.
 *  - Every record that store_append returned STATUS_OK for is in records.jsonl, or, if its group
 * was cut short, in interrupted.jsonl after the next store_resume. None is in both.
 *  - What is torn is the last line and nothing else.
 *  - One writer at a time: DIR/lock.
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

/* Makes the directory (and those above it), locks it, and writes the plan: to a temporary name,
 * fsynced, renamed. plan is borrowed and checked: format, cells with distinct ids. STATUS_INVALID:
 * the directory has a plan already (the message names --resume), or the plan is not one.
 * STATUS_BUSY: another process is writing there; the message names it. STATUS_IO. On success *store
 * is the caller's, to be released with store_close. */
enum status store_create(const char *directory, const json_t *plan, struct store **store,
                         struct error *error);

/* Opens a directory to go on writing: locks it, moves a torn last line and the records of an
 * interrupted group to interrupted.jsonl (fsynced before records.jsonl is cut; a kill in between
 * doubles nothing). STATUS_NOT_FOUND: no plan there. STATUS_BUSY. STATUS_CORRUPT: a damaged line
 * that is not the last; the message has its number and the remedy. STATUS_IO. */
enum status store_resume(const char *directory, struct store **store, struct error *error);

/* Borrowed until store_close. */
const json_t *store_plan(const struct store *store);

/* The records so far, with what is left out marked by disturbance_mark(…, round_limit). Borrowed
 * until the next append. */
const struct record_set *store_survey(struct store *store, uint32_t round_limit);

/* The last round of the time pass that has a record; 0 if none has. */
uint32_t store_round_last(const struct store *store);

/* What the run has taken when its last record was made, and the rounds of the time pass that have
 * records. STATUS_IO: the last record cannot be read. */
enum status store_read_elapsed(const struct store *store, double *elapsed_s, uint32_t *rounds,
                               struct error *error);

/* Records in records.jsonl now. */
uint64_t store_record_count(const struct store *store);

/* Records that this store_resume moved to interrupted.jsonl, a torn line included. */
uint64_t store_interrupted_count(const struct store *store);

/* Adds `sequence` to the record (which stays the caller's), appends it as one line with one write,
 * and fsyncs. The record needs `format`, `cell`, `pass`, `round` and `status`, and what FORMAT.md
 * asks of an ok record (time pass: `cpu_ns_per_op` above 0, `wall_ns`, `operations`; memory pass:
 * `memory`). STATUS_INVALID: not such a record, a cell that is not planned, one that is done
 * already, or another group while one is incomplete; nothing was written. STATUS_IO: nothing was
 * written either (what had been is cut off again). */
enum status store_append(struct store *store, json_t *record, struct error *error);

/* Has the cell a record in this round of this pass? false for a cell that is not planned. */
bool store_is_done(const struct store *store, enum record_pass pass, uint32_t round,
                   const char *cell);

/* The run has ended: writes the directory's manifest (results/manifest.h), which the next append
 * takes away again. STATUS_IO. */
enum status store_finish(const struct store *store, struct error *error);

/* Unlocks. NULL is fine. Everything was durable already. */
void store_close(struct store *store);

/* Reads a directory for compare and plot; writes nothing and takes no lock, so that a run that is
 * still going can be looked at. A torn last line and the records of an interrupted group are left
 * out, with a note. *set is the caller's, to be released with record_set_free. STATUS_NOT_FOUND: no
 * plan there. STATUS_CORRUPT: a damaged file; the message has the line number and the remedy.
 * STATUS_IO, STATUS_NO_MEMORY. */
enum status store_load(const char *directory, struct record_set **set, struct error *error);

#endif
