/* A control group (version 2) for one run of a command. The kernel keeps the peak memory of the
 * whole process tree in it. If heapmill may not make a group, or the kernel has no memory.peak
 * (before 5.19), the tree is watched instead (tree.h). One thread. */
#ifndef HEAPMILL_RUN_COMMAND_CGROUP_H
#define HEAPMILL_RUN_COMMAND_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
    char *directory; /* NULL: there is none */
    char *members;   /* path of its cgroup.procs */
};

/* Makes a group beside heapmill's own or below it, wherever that is allowed. root: the directory
 * where version 2 is mounted; NULL: the usual places. own: the text of /proc/self/cgroup; NULL: the
 * file is read. Returns false if no group could be made; then there is nothing to close. */
bool cgroup_open(struct cgroup *cgroup, const char *root, const char *own);

/* The largest number of bytes (anonymous memory, page cache and kernel memory) that were charged to
 * the group; 0: unknown. */
uint64_t cgroup_memory_peak(const struct cgroup *cgroup);

/* Removes the group, whose processes must have ended. A zeroed structure is allowed. */
void cgroup_close(struct cgroup *cgroup);

#endif
