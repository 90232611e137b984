/* The answer of a run of `heapmill try`: a table of the allocators, and a sentence. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_VERDICT_H
#define HEAPMILL_RUN_COMMAND_VERDICT_H

#include <jansson.h>
#include <stddef.h>

#include "common/host/document.h"
#include "common/status.h"
#include "results/compare/comparison.h"

enum { VERDICT_METRICS = 7 };

struct verdict {
    struct record_set *set;
    struct comparison *comparisons[VERDICT_METRICS]; /* time first; NULL: not measured */
    char *sentence;
    const char *best; /* what the sentence names; NULL: none is better than the base */
    size_t failed;    /* allocators under which the command fails or prints something else */
};

/* Reads a run's directory. Errors as store_load and comparison_build. Call verdict_free in every
 * case. */
enum status verdict_read(const char *directory, struct verdict *verdict, struct error *error);
void verdict_free(struct verdict *verdict);

/* The whole answer, for people and for programs (results/FORMAT.md). The caller frees it. */
struct document *verdict_document(const struct verdict *verdict);
json_t *verdict_to_json(const struct verdict *verdict);

#endif
