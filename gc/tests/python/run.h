/* Runs a program over gc/. */
#ifndef HEAPMILL_GC_TESTS_PYTHON_RUN_H
#define HEAPMILL_GC_TESTS_PYTHON_RUN_H

#include "allocators/backend.h"
#include "gc/object.h"
#include "gc/tests/python/program.h"

/* Runs it in a runtime of its own over heap and writes what it logs to out, each line with two
 * spaces before it, as harness.py does. Returns what is wrong at the end: objects left, broken
 * invariants. */
uint64_t run_program(const struct program *program, unsigned features, struct heap *heap,
                     const struct gc_policy *policy, FILE *out);

#endif
