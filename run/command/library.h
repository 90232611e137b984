/* What a library that is to stand in for malloc brings along, and what breaks without the rest. One
 * thread. */
#ifndef HEAPMILL_RUN_COMMAND_LIBRARY_H
#define HEAPMILL_RUN_COMMAND_LIBRARY_H

#include <jansson.h>

#include "common/status.h"
#include "run/registry.h"

/* Adds rows {name, level, value, remedy}, as `heapmill doctor` has them, for the library at path:
 * whether it loads and malloc then lives in it, members of the family (preload/family.h) that it
 * has and lacks, C++ operators, thread-local storage. STATUS_NOT_FOUND, STATUS_INVALID: it is no
 * shared library of this kind of machine. */
enum status library_examine(const char *path, struct registry *registry, json_t *rows,
                            struct error *error);

#endif
