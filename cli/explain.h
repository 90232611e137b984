/* `heapmill explain`: describes one cell in words and numbers. */
#ifndef HEAPMILL_CLI_EXPLAIN_H
#define HEAPMILL_CLI_EXPLAIN_H

#include <jansson.h>
#include <stddef.h>

#include "common/host/document.h"
#include "results/compare/comparison.h"

/* All records of one cell, with all members, and its comparison. */
struct explain {
    const struct record_set *set;
    const struct record_cell *cell;
    const struct record **records; /* [count], in the file's order */
    json_t **json;                 /* [count], of each record */
    size_t count;
    struct comparison *comparison;     /* of time, with the run's base; NULL: none could be made */
    const struct comparison_cell *row; /* NULL: the cell is the base, or has no row */
};

/* Reads the records. Call explain_close in every case. STATUS_IO, STATUS_NO_MEMORY. */
enum status explain_open(struct explain *explain, const struct record_set *set, size_t cell,
                         struct error *error);
void explain_close(struct explain *explain);

/* Adds the whole description. */
void explain_add(const struct explain *explain, struct document *document);

/* Parts of the description: time and what disturbed it (explain_time.c), instructions and latency
 * (explain_passes.c), calls, memory and collections (explain_memory.c). Each begins with a heading,
 * or adds nothing. */
void explain_add_time(const struct explain *explain, struct document *document);
void explain_add_instructions(const struct explain *explain, struct document *document);
void explain_add_latency(const struct explain *explain, struct document *document);
void explain_add_machine(const struct explain *explain, struct document *document);
void explain_add_calls(const struct explain *explain, struct document *document);
void explain_add_memory(const struct explain *explain, struct document *document);
void explain_add_collections(const struct explain *explain, struct document *document);
/* Adds pauses and floating garbage (explain_collector.c). */
void explain_add_collector(const struct explain *explain, struct document *document);

/* The first ok record of a pass; NULL if there is none. */
const json_t *explain_first(const struct explain *explain, enum record_pass pass);

/* Values of a member in the cell's ok records, without those that were left out. */
struct explain_figures {
    double *values; /* [count], ascending; free() */
    size_t count;
};
/* Collects a member of the records of a pass; "a.b" is a member of a member. */
struct explain_figures explain_gather(const struct explain *explain, enum record_pass pass,
                                      const char *member);
struct explain_figures explain_metric(const struct explain *explain, const struct metric *metric);

#endif
