/* What a resume does to a directory that a kill left. Private to results/. */
#ifndef HEAPMILL_RESULTS_STORE_RECOVER_H
#define HEAPMILL_RESULTS_STORE_RECOVER_H

#include "results/record_set.h"

/* Moves the records of an interrupted last group, and what tail says is torn, from records.jsonl
 * (open for reading and writing as records_fd) to the end of interrupted.jsonl, and cuts
 * records.jsonl. Every step is fsynced before the next; killed at any of them, the next call ends
 * in the same state. A torn line is kept as {"format":"heapmill-torn-1","offset":…,"text":…}. *size
 * is records.jsonl's then; *moved counts lines. The caller holds the lock. */
enum status store_recover(struct record_set *set, const struct record_tail *tail, int records_fd,
                          uint64_t *size, uint64_t *moved, struct error *error);

#endif
