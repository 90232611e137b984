/* Watches the processes that descend from this one while a user's command runs: how much memory
 * they have together, and whether a library reached them. One thread.
 *
 * Adding the shares up costs the command time (its page tables are walked under a lock), and a look
 * costs this process some: both are kept below one per cent of the run. */
#ifndef HEAPMILL_RUN_COMMAND_TREE_H
#define HEAPMILL_RUN_COMMAND_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/host/text.h"

struct tree_watch {
    const char *library; /* the file name that their maps are asked for; NULL: none */
    pid_t except;        /* descendants that are no part of the command; 0: none */
    pid_t load;
    bool resident_only; /* a resident set's peak will do: shares are never added up */
    /* Of all together at one moment: proportional shares, swap included. Between the moments at
     * which shares were added up, as the anonymous pages say: those are private, but for a fork. */
    uint64_t pss_bytes_peak;
    uint64_t pss_bytes;            /* at the last look */
    uint64_t rss_bytes_peak;       /* of the largest process, as the kernel keeps it */
    uint64_t anonymous_bytes_peak; /* of all together */
    size_t samples;
    size_t processes_most;      /* at one moment */
    struct text_list unreached; /* programs that ran without the library */
    /* What follows is tree.c's own. */
    pid_t *strangers; /* processes that are none of it */
    size_t stranger_count;
    uint64_t begin_ns; /* of the watch, and when the next look is due, by clock_wall_ns */
    uint64_t next_ns;
    bool shares_known; /* they were added up; when the tree had so many anonymous bytes */
    uint64_t shares_anonymous_bytes;
    int64_t shares_difference; /* from those */
    uint64_t shares_cost_ns;
    uint64_t shares_cost_sum_ns;
};

/* Before the command starts: whoever runs already is none of its tree, which takes time to find. */
void tree_watch_begin(struct tree_watch *watch);

/* Looks if it is due. Seconds until the next look is. */
double tree_watch_look(struct tree_watch *watch);

/* Looks now, and adds the shares up. */
void tree_watch_look_now(struct tree_watch *watch);

/* The peak of this process's own resident set, in bytes. */
uint64_t tree_own_peak(void);

void tree_watch_free(struct tree_watch *watch);

#endif
