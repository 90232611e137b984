/* All processes of the machine at one moment, with their parents and their CPU time. process.c uses
 * it to count and end descendants. */
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

/* The tree is empty if /proc cannot be read. */
void process_tree_read(struct process_tree *tree);
void process_tree_free(struct process_tree *tree);

/* The CPU time of the process and its descendants. */
uint64_t process_tree_cpu_ns(const struct process_tree *tree, pid_t root);

/* Sends SIGKILL to all of them, the root first, so that it starts no more. */
void process_tree_kill(const struct process_tree *tree, pid_t root);

#endif
