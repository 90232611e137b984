/* DIR/calibration.json: what `heapmill calibrate` found (results/FORMAT.md). */
#ifndef HEAPMILL_RUN_CALIBRATION_FILE_H
#define HEAPMILL_RUN_CALIBRATION_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/host/document.h"
#include "common/status.h"

/* Writes it whole or not at all. STATUS_IO. */
enum status calibration_write(const char *directory, const json_t *calibration,
                              struct error *error);

/* A new reference. STATUS_NOT_FOUND: there is none; STATUS_CORRUPT: it is not one. */
enum status calibration_read(const char *directory, json_t **calibration, struct error *error);

/* Is this the machine that it was made on: CPU, cores, kernel, this heapmill? */
bool calibration_is_of_host(const json_t *calibration);

/* What it says, as a table and sentences. */
void calibration_report(const json_t *calibration, struct document *document);

#endif
