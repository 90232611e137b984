/* From JSON to the structs of record.h: what a plan and a record must have. The writer checks with
 * the same functions as the reader, so that nothing gets in that could not be read again.
 *
 * Private to results/. */
#ifndef HEAPMILL_RESULTS_RECORD_PARSE_H
#define HEAPMILL_RESULTS_RECORD_PARSE_H

#include "results/metrics.h"
#include "results/record.h"

#define RECORD_FORMAT "heapmill-record-1"
#define RECORD_PLAN_FORMAT "heapmill-plan-1"

/* Makes set->plan (its own reference), cells, groups and the map of ids. On failure the set is
 * still fit for record_set_free. STATUS_INVALID: not a plan; the message says which cell and
 * member. */
enum status record_parse_plan(struct record_set *set, json_t *plan, struct error *error);

/* What record_parse reads of a record beside its struct. */
struct record_details {
    double figures[METRIC_FIGURES_MAX]; /* [record's figure_count] */
};

/* Fills *record (but for offset, bytes and figure) and, for an ok record, *details. STATUS_INVALID
 * with one sentence that names the member. Allocates nothing. */
enum status record_parse(const struct record_set *set, const json_t *json, struct record *record,
                         struct record_details *details, struct error *error);

#endif
