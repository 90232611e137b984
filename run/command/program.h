/* What a user's command is, as far as its file tells: whether a library can be preloaded into it,
 * and which interpreter runs it. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_PROGRAM_H
#define HEAPMILL_RUN_COMMAND_PROGRAM_H

#include <stdbool.h>

#include "common/status.h"

struct program {
    char *path;          /* of the file that the kernel runs; for a script, its interpreter's */
    bool is_static;      /* it has no dynamic linker, so nothing can be preloaded */
    bool is_foreign;     /* of another kind of machine, or of 32 bits */
    bool is_set_id;      /* set-user-ID and its like: the dynamic linker ignores LD_PRELOAD */
    bool is_python;      /* CPython, which has an allocator of its own over malloc */
    const char *carries; /* an allocator of whose messages its file has one: "jemalloc"; or NULL */
};

/* Looks at the program that execvp would run. STATUS_NOT_FOUND: there is none. program_free
 * releases it, after an error too. */
enum status program_inspect(const char *name, struct program *program, struct error *error);
void program_free(struct program *program);

/* Why nothing can be preloaded into it, as a sentence; NULL: its file does not speak against it.
 * The caller frees. */
char *program_refusal(const struct program *program);

#endif
