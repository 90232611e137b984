/* Finds members of JSON documents by path.
 *
 * A path is the name of a member, or several names with dots between them: "host.cpu.model". If a
 * member's name is the whole rest of the path, that member is taken, so that names with dots
 * ("pymalloc-3.10") are found too. A NULL object has no members. Results are borrowed from the
 * document. */
#ifndef HEAPMILL_COMMON_HOST_JSON_H
#define HEAPMILL_COMMON_HOST_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* The member, or NULL. */
json_t *json_at(const json_t *object, const char *path);

/* The member's value; `absent` if there is none, if it is of another type, or if it is negative
 * (for a count). A number may be an integer or a real. */
const char *json_text_at(const json_t *object, const char *path, const char *absent);
double json_number_at(const json_t *object, const char *path, double absent);
uint64_t json_count_at(const json_t *object, const char *path, uint64_t absent);
bool json_bool_at(const json_t *object, const char *path, bool absent);

/* Reads a file with one JSON object without duplicate names. *object is a new reference, NULL after
 * an error. STATUS_NOT_FOUND; STATUS_CORRUPT: the message has the line; STATUS_IO. */
enum status json_read_file(const char *path, json_t **object, struct error *error);

/* Writes the document, indented by one blank, with file_replace: whole or not at all. STATUS_IO. */
enum status json_write_file(const char *path, const json_t *document, struct error *error);

/* Prints the document to stdout, indented by one blank, with a newline behind it. */
void json_print(const json_t *document);

#endif
