/* Watches the descendants of this process while a user's command runs: how much memory they use
 * together, and whether a library reached them. One thread.
 *
 * Adding the shares up costs the command time (the kernel walks its page tables under a lock), and
 * a look costs this process time. Both are kept below one per cent of the run. */
#ifndef HEAPMILL_RUN_COMMAND_TREE_H
#define HEAPMILL_RUN_COMMAND_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/host/text.h"

struct tree_watch {
    const char *library; /* the file name that is searched for in their maps; NULL: none */
    pid_t except;        /* a descendant that is not part of the command; 0: none */
    pid_t load;
    bool resident_only; /* the peak of the resident set is enough: shares are never added up */
    /* The peak of the whole tree at one moment: proportional shares, with swap. Between two sums of
     * the shares it follows the anonymous pages, which are private except after a fork. */
    uint64_t pss_bytes_peak;
    uint64_t pss_bytes;            /* at the last look */
    uint64_t rss_bytes_peak;       /* of the largest process, as the kernel reports it */
    uint64_t anonymous_bytes_peak; /* of the whole tree */
    size_t samples;
    size_t processes_most;      /* at one moment */
    struct text_list unreached; /* programs that ran without the library */
    /* The members below are private to tree.c. */
    pid_t *strangers; /* processes that are not part of the command */
    size_t stranger_count;
    uint64_t begin_ns; /* when the watch began and when the next look is due, by clock_wall_ns */
    uint64_t next_ns;
    bool shares_known; /* whether shares were ever added up, and the tree's anonymous bytes at that
                          time */
    uint64_t shares_anonymous_bytes;
    int64_t shares_difference; /* shares minus anonymous bytes, at that time */
    uint64_t shares_cost_ns;
    uint64_t shares_cost_sum_ns;
};

/* Call before the command starts: all processes that exist now are strangers. Finding them takes
 * time. */
void tree_watch_begin(struct tree_watch *watch);

/* Looks if a look is due. Returns the seconds until the next one. */
double tree_watch_look(struct tree_watch *watch);

/* Looks now, and adds up the shares. */
void tree_watch_look_now(struct tree_watch *watch);

/* The peak of this process's own resident set, in bytes. */
uint64_t tree_own_peak(void);

void tree_watch_free(struct tree_watch *watch);

#endif
