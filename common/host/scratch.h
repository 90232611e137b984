/* Directories for files that a run needs until it ends, which are gone even where it was killed:
 * each is locked by its owner, and whoever makes the next removes those whose owner has died. */
#ifndef HEAPMILL_COMMON_HOST_SCRATCH_H
#define HEAPMILL_COMMON_HOST_SCRATCH_H

#include "common/status.h"

struct scratch {
    char *path; /* NULL: none */
    int fd;     /* holds the lock; no child inherits it */
};

/* Makes PARENT/heapmill-WORD-XXXXXX; a parent of NULL is $TMPDIR, or /tmp. STATUS_IO: none can be
 * made, and *scratch is empty. */
enum status scratch_open(struct scratch *scratch, const char *parent, const char *word,
                         struct error *error);

/* Removes the directory with all that is in it. Nothing for an empty one. */
void scratch_close(struct scratch *scratch);

#endif
