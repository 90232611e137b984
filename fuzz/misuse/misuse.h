/* What allocators make of misuse: each misuse of a bank (bank.c) in a process of its own, with the
 * allocator preloaded. One thread. */
#ifndef HEAPMILL_FUZZ_MISUSE_MISUSE_H
#define HEAPMILL_FUZZ_MISUSE_MISUSE_H

#include "common/host/document.h"
#include "common/status.h"
#include "run/selection.h"

enum misuse_end {
    MISUSE_DETECTED,  /* the allocator ended the process, or memory that is guarded did */
    MISUSE_SURVIVED,  /* the heap serves as before */
    MISUSE_CORRUPTED, /* blocks were changed or overlap, what was freed can be read, or the process
                         died later or hung */
    MISUSE_NOT_APPLICABLE,
};

/* What a process's end means: the letters that it wrote, its signal (0: none), its exit code. */
enum misuse_end misuse_judge(const char *stages, int signal, int exit_code, bool timed_out);

/* Runs the bank under each choice that can be preloaded, and adds a table to the document: a row a
 * misuse, a column an allocator, and their sums. An allocator that is not installed has no column
 * but a warning. STATUS_NOT_FOUND: the bank's program is missing; STATUS_INVALID: no choice can be
 * preloaded. */
enum status misuse_run(const struct registry *registry, const struct selection *selection,
                       struct document *document, struct error *error);

#endif
