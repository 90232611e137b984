#include "cli/matrix.h"

#include <string.h>

const struct matrix matrix_table[] = {
    {
        .name = "default",
        .summary = "a first look in a minute: the real algorithm, the classic one and a peer",
        .backends = "malloc,pymalloc-3.10,mimalloc*,jemalloc*",
        .workloads = "pingpong,batch,churn,binary_trees",
        .parameters = {NULL},
        .rounds = 7,
        .target_ms = 20,
    },
    {
        .name = "quick",
        .summary =
            "every back end in its default arm on every workload, under five minutes on two cores",
        .backends = "*",
        .workloads = "*",
        .parameters = {NULL},
        .rounds = 7,
        .target_ms = 20,
    },
    {.name = NULL},
};

const struct matrix *matrix_find(const char *name)
{
    for (size_t i = 0; matrix_table[i].name != NULL; i++) {
        if (strcmp(matrix_table[i].name, name) == 0) {
            return &matrix_table[i];
        }
    }
    return NULL;
}
