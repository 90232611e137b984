/* The checks of `heapmill doctor`: one row for each thing that can spoil a measurement or is needed
 * for one. One thread. */
#ifndef HEAPMILL_CLI_DOCTOR_H
#define HEAPMILL_CLI_DOCTOR_H

#include <jansson.h>

#include "run/registry.h"

/* Rows are objects: `name`, `level` ("ok", "info", "warning", "missing"), `value`, `remedy` ("" if
 * there is none). "missing": a part of heapmill does not work without it. */
void doctor_add(json_t *rows, const char *name, const char *level, const char *remedy,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Checks the machine: kernel, CPU, cores, governor, huge pages, address space layout, swap, load,
 * steal, quota, cost of the clock. Steal and throttling are watched for interval_s, which is how
 * long this takes. */
void doctor_check_machine(json_t *rows, double interval_s);

/* Checks those of them that take no time: governor, huge pages, address layout, swap, load. */
void doctor_check_settings(json_t *rows);

/* Adds what `heapmill calibrate` found, if it was run on this machine. */
void doctor_check_calibration(json_t *rows);

/* Checks programs: workers, peers and where malloc lives under each, gnuplot, valgrind, perf. */
void doctor_check_programs(json_t *rows, const struct registry *registry);

#endif
