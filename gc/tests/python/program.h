/* Random programs over finalizers, weak references and the collector, which run both over gc/ and
 * in Python: what a program logs in one must be, letter for letter, what it logs in the other.
 *
 * A program is a list of calls of the functions that steps.h names. program.c makes and prints it,
 * run.c runs it over gc/, harness.py has the same functions in Python. */
#ifndef HEAPMILL_GC_TESTS_PYTHON_PROGRAM_H
#define HEAPMILL_GC_TESTS_PYTHON_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What an interpreter does as CPython 3.9 to 3.11 do, as harness.py --features tells. */
enum program_feature {
    PROGRAM_LEGACY = 1u << 0,      /* _testcapi.with_tp_del is there */
    PROGRAM_GENERATIONS = 1u << 1, /* three generations, collected as a whole */
    PROGRAM_AUTOMATIC = 1u << 2,   /* an allocation collects at once, and gc.get_count can be kept
                                    * free of the interpreter's own containers */
};

enum {
    PROGRAM_STEPS_MAX = 60,
    PROGRAM_NAMES = 6,   /* variables that own objects */
    PROGRAM_WATCHES = 4, /* variables that own weak references */
    PROGRAM_FIELDS = 3,
};

enum program_kind {
    KIND_PLAIN,
    KIND_DIES,   /* its finalizer logs, and so do those that follow */
    KIND_SAVES,  /* and keeps the object */
    KIND_CLEARS, /* and gives up the first field */
    KIND_MAKES,  /* and puts a new plain object into the last field */
    KIND_LIST,
    KIND_DICT,
    KIND_LEGACY,       /* has a legacy finalizer, which logs */
    KIND_LEGACY_SAVES, /* and keeps the object */
    KIND_COUNT
};

enum program_op {
#define STEP(name, arity, weight, counted) OP_##name,
#include "gc/tests/python/steps.h"
#undef STEP
    OP_COUNT
};

struct program_step {
    enum program_op op;
    int arguments[4];
};

struct program {
    struct program_step steps[PROGRAM_STEPS_MAX];
    int length;
    bool counted; /* collects by itself, and logs counts; else automatic collection is off */
};

/* The program of that seed, for an interpreter with those features. */
void program_make(struct program *program, uint64_t seed, unsigned features);
/* Reads a program from "op argument …, op argument …"; kinds and fields may be words: "new dies 0,
 * put 0 a 0". false: it is none. */
bool program_parse(struct program *program, const char *text);
/* Prints it as a Python function of that name. */
void program_print(const struct program *program, const char *name, FILE *out);

#endif
