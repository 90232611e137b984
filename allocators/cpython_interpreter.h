/* What `cpython` and the reference `cpython-objects` ask of an interpreter. Not for more than one
 * thread. */
#ifndef HEAPMILL_ALLOCATORS_CPYTHON_INTERPRETER_H
#define HEAPMILL_ALLOCATORS_CPYTHON_INTERPRETER_H

#include <stddef.h>

#include "common/status.h"

/* Starts libpython's interpreter, isolated: no site, no environment, no signal handlers. Nothing
 * happens when it runs already. STATUS_UNSUPPORTED: it cannot be started. */
enum status cpython_interpreter_start(struct error *error);

/* sys.getallocatedblocks(): the blocks that libpython's object allocator has given out, all of the
 * process. From 3.12 on an interpreter must run. */
size_t cpython_interpreter_blocks(void);

#endif
