/* Exit statuses of heapmill. The manual documents them, so they must not change. */
#ifndef HEAPMILL_COMMON_HOST_EXIT_STATUS_H
#define HEAPMILL_COMMON_HOST_EXIT_STATUS_H

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_FINDING = 1,     /* a finding or a regression */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_ENVIRONMENT = 3, /* something that is needed is missing */
    EXIT_PARTIAL = 4,     /* there are results, but some cells failed */
    EXIT_INTERRUPTED = 130,
};

#endif
