/* What a program's file tells: whether a library can be preloaded into it, and which interpreter
 * runs it. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_PROGRAM_H
#define HEAPMILL_RUN_COMMAND_PROGRAM_H

#include <stdbool.h>

#include "common/status.h"

struct program {
    char *path;          /* of the file that the kernel runs; for a script, its interpreter's */
    bool is_static;      /* it has no dynamic linker, so nothing can be preloaded */
    bool is_foreign;     /* for another kind of machine, or for 32 bits */
    bool is_set_id;      /* set-user-ID and its like: the dynamic linker ignores LD_PRELOAD */
    bool is_python;      /* CPython, which has an allocator of its own over malloc */
    const char *carries; /* an allocator that is linked into it: "jemalloc"; NULL: none */
};

/* Inspects the program that execvp would run. STATUS_NOT_FOUND: there is none. Call program_free in
 * every case. */
enum status program_inspect(const char *name, struct program *program, struct error *error);
void program_free(struct program *program);

/* A sentence that says why nothing can be preloaded into it; NULL: its file shows no reason. The
 * caller frees. */
char *program_refusal(const struct program *program);

#endif
