#include "run/matrix.h"

#include <string.h>

/* Times are of a 2-core virtual machine of 2024 (AMD EPYC), 2 GiB of memory are enough. */
const struct matrix matrix_table[] = {
    {
        .name = "default",
        .summary = "a first look in half a minute: pymalloc and two peers against malloc",
        .backends = "malloc,pymalloc-3.10,mimalloc*,jemalloc*",
        .workloads = "pingpong,batch,churn,int_churn,binary_trees,json_documents",
        .parameters = {NULL},
        .rounds = 11,
        .target_ms = 20,
    },
    {
        .name = "quick",
        .summary =
            "every back end in its default arm on a choice of workloads, in three to four minutes",
        .backends = "*",
        .workloads = "pingpong,batch,churn,int_churn,binary_trees,json_documents,cyclic_graph,"
                     "type_shift,lru_cache",
        .parameters = {"batch.order=fifo,random", NULL},
        .rounds = 13,
        .target_ms = 50,
    },
    {
        .name = "pools",
        .summary = "the pools on small blocks: what CI counts the instructions of",
        .backends = "pymalloc-3.10:inline,freelist-2.7:inline",
        .workloads = "pingpong,batch,churn",
        .parameters = {"pingpong.size=64", "batch.order=fifo,random", "batch.live=2000",
                       "churn.live=2000", NULL},
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
