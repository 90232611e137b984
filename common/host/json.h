/* Members of JSON documents, by path.
 *
 * A path is the name of a member, or names with dots between them: "host.cpu.model". At each level
 * a member that has the whole rest of the path as its name is taken first, so that a name with a
 * dot
 * ("pymalloc-3.10") is found too. NULL for an object is an object without members. What is returned
 * is borrowed from the document. */
#ifndef HEAPMILL_COMMON_HOST_JSON_H
#define HEAPMILL_COMMON_HOST_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* The member, or NULL. */
json_t *json_at(const json_t *object, const char *path);

/* The member's value, or `absent` when there is none or it is of another kind (or, for a count, is
 * negative). A number may be an integer or a real. */
const char *json_text_at(const json_t *object, const char *path, const char *absent);
double json_number_at(const json_t *object, const char *path, double absent);
uint64_t json_count_at(const json_t *object, const char *path, uint64_t absent);
bool json_bool_at(const json_t *object, const char *path, bool absent);

/* Reads a file that holds one JSON object, in which no name comes twice. *object is the caller's;
 * NULL after an error. STATUS_NOT_FOUND; STATUS_CORRUPT: the message has the line; STATUS_IO. */
enum status json_read_file(const char *path, json_t **object, struct error *error);

/* Writes the document with one blank of indent, whole or not at all: file_replace. STATUS_IO. */
enum status json_write_file(const char *path, const json_t *document, struct error *error);

#endif
