/* All processes of the machine at one moment: who descends from whom, and the time that they used.
 * For fuzz/campaign/crew.c. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CREW_TREE_H
#define HEAPMILL_FUZZ_CAMPAIGN_CREW_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct crew_process {
    pid_t pid;
    pid_t parent;
    uint64_t cpu_ns; /* with its reaped children; a multiple of a clock tick */
};

struct crew_tree {
    struct crew_process *processes;
    size_t count;
};

/* Empty where /proc cannot be read. */
void crew_tree_read(struct crew_tree *tree);
void crew_tree_free(struct crew_tree *tree);

/* Of the process and all that descend from it. */
uint64_t crew_tree_cpu_ns(const struct crew_tree *tree, pid_t root);

/* SIGKILL to all of them, the root first, so that it starts no further ones. */
void crew_tree_kill(const struct crew_tree *tree, pid_t root);

#endif
