/* Fills a record_set from a file, adds records to it, and finds which cells are done. Private to
 * results/. */
#ifndef HEAPMILL_RESULTS_RECORD_PRIVATE_H
#define HEAPMILL_RESULTS_RECORD_PRIVATE_H

#include "common/host/journal.h"
#include "results/metrics.h"
#include "results/record.h"

/* Parses JSON into the structs of record.h, and checks what a plan and a record must have. The
 * writer uses the same functions as the reader, so that every written record can be read again. */

#define RECORD_FORMAT "heapmill-record-1"
#define RECORD_PLAN_FORMAT "heapmill-plan-1"

/* The figures that record_parse reads beside its struct. */
struct record_details {
    double figures[METRIC_FIGURES_MAX]; /* [record's figure_count] */
    const char *host;                   /* borrowed from the record's JSON; NULL: it names none */
};

/* Fills *record (except offset, bytes and figure) and, for an ok record, *details. STATUS_INVALID
 * with a sentence that names the member. Allocates nothing. */
enum status record_parse(const struct record_set *set, const json_t *json, struct record *record,
                         struct record_details *details, struct error *error);

/* The type of record_set.private. */
struct record_set_private {
    char *directory;
    json_t *cell_indexes;  /* id → integer */
    json_t *group_indexes; /* the same of groups */
    json_t *texts;         /* an array that owns the texts made by the set */
    int records_fd;        /* for record_set_read, which opens it when first needed; -1: not yet */
    /* Open addressing over (pass, round, cell): 1 + index into records; 0: empty. */
    uint32_t *slots;
    size_t slot_mask;   /* slots − 1, which is a power of two minus 1 */
    uint16_t last_host; /* of the record before, mostly this one's too */
    size_t record_capacity;
    size_t figure_capacity;
};

/* Reads DIR/plan.json. STATUS_NOT_FOUND, STATUS_CORRUPT, STATUS_NO_MEMORY. */
enum status record_set_open(const char *directory, struct record_set **set, struct error *error);

/* Makes a set of a plan that is already in memory, and takes a reference to it. */
enum status record_set_from_plan(const char *directory, json_t *plan, struct record_set **set,
                                 struct error *error);

/* Adds a line of records.jsonl: a journal_reader whose context is the set. */
enum status record_set_take(void *set, const struct journal_line *line, struct error *error);

/* Reads all of DIR/records.jsonl. *torn: see journal_read. */
enum status record_set_scan(struct record_set *set, uint64_t *torn, struct error *error);

/* Adds a record. STATUS_INVALID: the set already has it; then *twice (if not NULL) is the index of
 * that record. */
enum status record_set_add(struct record_set *set, const struct record *record,
                           const struct record_details *details, size_t *twice,
                           struct error *error);

/* The index of this cell's record; record_count if there is none. */
size_t record_set_find(const struct record_set *set, enum record_pass pass, uint32_t round,
                       size_t cell);

/* Are all planned cells of the group done in this round of this pass? */
bool record_set_group_is_complete(const struct record_set *set, enum record_pass pass,
                                  uint32_t round, size_t group);

/* The index of the first record of a group that is incomplete at the file's end; record_count if
 * the last group is complete. */
size_t record_set_interrupted_start(const struct record_set *set);

/* Removes the records from index count on. */
void record_set_truncate(struct record_set *set, size_t count);

/* Is the cell planned in that pass? Twins are only timed: one memory pass judges nothing, and
 * instruction counts have no noise. Heavy cells have no memory pass: looking at 256 MiB many times
 * takes ten seconds. Instructions of threads are not counted, as the order of threads is chance. */
static inline bool record_cell_is_planned(const struct record_cell *cell, enum record_pass pass)
{
    switch (pass) {
    case RECORD_MEMORY:
        return cell->twin == 0 && !cell->is_heavy;
    case RECORD_INSTRUCTIONS:
        return cell->twin == 0 && cell->threads == 1;
    default:
        return true;
    }
}

#endif
