/* Finds the waste of a back end's size classes: the usable size of a block for each requested
 * size. */
#ifndef HEAPMILL_WORKLOADS_WASTE_H
#define HEAPMILL_WORKLOADS_WASTE_H

#include "common/status.h"

enum { WASTE_SIZE_MAX = 1024 }; /* bytes */

/* Opens a heap, asks it, and writes one line of JSON (WORKER.md, --waste) to fd.
 * STATUS_UNSUPPORTED: the back end does not know usable sizes. */
enum status waste_write(int fd, struct error *error);

#endif
