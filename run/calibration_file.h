/* DIR/calibration.json: what `heapmill calibrate` found (results/FORMAT.md). */
#ifndef HEAPMILL_RUN_CALIBRATION_FILE_H
#define HEAPMILL_RUN_CALIBRATION_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/host/document.h"
#include "common/status.h"

/* Writes the file whole or not at all. STATUS_IO. */
enum status calibration_write(const char *directory, const json_t *calibration,
                              struct error *error);

/* *calibration is a new reference. STATUS_NOT_FOUND: there is no such file; STATUS_CORRUPT: the
 * file is not a calibration. */
enum status calibration_read(const char *directory, json_t **calibration, struct error *error);

/* Was the calibration made on this machine: same CPU, cores, kernel and heapmill? */
bool calibration_is_of_host(const json_t *calibration);

/* Adds the calibration to the document, as a table and sentences. */
void calibration_report(const json_t *calibration, struct document *document);

#endif
