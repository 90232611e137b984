/* A control group (version 2) for one run of a command, in which the kernel keeps the peak of the
 * whole tree's memory. Where heapmill may not make one, or the kernel has no memory.peak (before
 * 5.19), there is none, and the tree is watched instead (tree.h). One thread. */
#ifndef HEAPMILL_RUN_COMMAND_CGROUP_H
#define HEAPMILL_RUN_COMMAND_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
    char *directory; /* NULL: there is none */
    char *members;   /* its cgroup.procs */
};

/* Makes a group beside heapmill's own or below it, wherever that is allowed. root: where version 2
 * is mounted; NULL: in the usual places. own: the text of /proc/self/cgroup; NULL: it is read.
 * false: none could be made, and there is nothing to close. */
bool cgroup_open(struct cgroup *cgroup, const char *root, const char *own);

/* Bytes of anonymous memory, page cache and kernel memory that the group was charged with at most;
 * 0: not known. */
uint64_t cgroup_memory_peak(const struct cgroup *cgroup);

/* Removes it; its processes have ended. All zero is fine. */
void cgroup_close(struct cgroup *cgroup);

#endif
