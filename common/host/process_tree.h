/* All processes of the machine at one moment: who descends from whom, and the time that they used.
 * For process.c, which counts and ends them. */
#ifndef HEAPMILL_COMMON_HOST_PROCESS_TREE_H
#define HEAPMILL_COMMON_HOST_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_entry {
    pid_t pid;
    pid_t parent;
    uint64_t cpu_ns; /* with its reaped children; a multiple of a clock tick */
};

struct process_tree {
    struct process_entry *processes;
    size_t count;
};

/* Empty where /proc cannot be read. */
void process_tree_read(struct process_tree *tree);
void process_tree_free(struct process_tree *tree);

/* Of the process and all that descend from it. */
uint64_t process_tree_cpu_ns(const struct process_tree *tree, pid_t root);

/* SIGKILL to all of them, the root first, so that it starts no further ones. */
void process_tree_kill(const struct process_tree *tree, pid_t root);

#endif
