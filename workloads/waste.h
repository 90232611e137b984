/* What a back end's size classes cost: the usable size of a block for each requested size. */
#ifndef HEAPMILL_WORKLOADS_WASTE_H
#define HEAPMILL_WORKLOADS_WASTE_H

#include "common/status.h"

enum { WASTE_SIZE_MAX = 1024 }; /* bytes */

/* Opens a heap, asks, and writes one line of JSON (WORKER.md, --waste) to fd. STATUS_UNSUPPORTED:
 * the back end cannot say usable sizes. */
enum status waste_write(int fd, struct error *error);

#endif
