/* Examines a library that is to replace malloc: what it has, and what the missing parts break. One
 * thread. */
#ifndef HEAPMILL_RUN_COMMAND_LIBRARY_H
#define HEAPMILL_RUN_COMMAND_LIBRARY_H

#include <jansson.h>

#include "common/status.h"
#include "run/registry.h"

/* Adds rows {name, level, value, remedy}, as in `heapmill doctor`, for the library at path: whether
 * it loads and then serves malloc, which members of the family (preload/family.h) it has and lacks,
 * C++ operators, thread-local storage. STATUS_NOT_FOUND: there is no such file; STATUS_INVALID: it
 * is no shared library for this kind of machine. */
enum status library_examine(const char *path, struct registry *registry, json_t *rows,
                            struct error *error);

#endif
