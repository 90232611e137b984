/* What spoils a measurement, said when a run begins and when it has ended, with what helps. */
#ifndef HEAPMILL_CLI_BENCH_WARNINGS_H
#define HEAPMILL_CLI_BENCH_WARNINGS_H

#include <jansson.h>

#include "common/status.h"
#include "results/record.h"

/* Rows as `heapmill doctor` makes them (doctor.h), those of level "warning" only: governor, huge
 * pages, address layout, swap, load. A new reference. */
json_t *bench_warnings_before(void);

/* Adds rows on what the records tell of the run: steal, throttling, rounds that were disturbed, and
 * groups that adaptive rounds left imprecise. The set is marked up to its end. STATUS_NO_MEMORY. */
enum status bench_warnings_after(const struct record_set *set, json_t *rows, struct error *error);

/* "heapmill: warning: NAME: VALUE: REMEDY" on stderr, a line a row. */
void bench_warnings_print(const json_t *rows);

#endif
