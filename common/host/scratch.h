/* Directories for files that a run needs until it ends. Each owner locks its directory. Whoever
 * makes the next one removes those whose owner has died, so that a killed run leaves nothing for
 * long. */
#ifndef HEAPMILL_COMMON_HOST_SCRATCH_H
#define HEAPMILL_COMMON_HOST_SCRATCH_H

#include "common/status.h"

struct scratch {
    char *path; /* NULL: none */
    int fd;     /* holds the lock; children do not inherit it */
};

/* Makes PARENT/heapmill-WORD-XXXXXX; a NULL parent means $TMPDIR, or /tmp. STATUS_IO: it failed,
 * and *scratch is empty. */
enum status scratch_open(struct scratch *scratch, const char *parent, const char *word,
                         struct error *error);

/* Removes the directory with its files. Does nothing if *scratch is empty. */
void scratch_close(struct scratch *scratch);

#endif
