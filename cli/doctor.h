/* What `heapmill doctor` finds out: one row for each thing that can spoil a measurement or is
 * needed for one. One thread. */
#ifndef HEAPMILL_CLI_DOCTOR_H
#define HEAPMILL_CLI_DOCTOR_H

#include <jansson.h>

#include "run/registry.h"

/* Rows are objects: `name`, `level` ("ok", "info", "warning", "missing"), `value`, `remedy` (""
 * unless there is one). "missing" is something without which a part of heapmill does not work. */
void doctor_add(json_t *rows, const char *name, const char *level, const char *remedy,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The machine: kernel, CPU, cores, governor, huge pages, address space layout, swap, load, steal,
 * quota, cost of the clock. Takes interval_s, over which steal and throttling are watched. */
void doctor_check_machine(json_t *rows, double interval_s);

/* Of these, what takes no time to see: governor, huge pages, address layout, swap, load. */
void doctor_check_settings(json_t *rows);

/* What `heapmill calibrate` found on this machine, if it was run here. */
void doctor_check_calibration(json_t *rows);

/* The programs: workers, peers and where malloc lives under each, gnuplot, valgrind, perf. */
void doctor_check_programs(json_t *rows, const struct registry *registry);

#endif
