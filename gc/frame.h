/* Frames: what an interpreter allocates for each call, as CPython did up to 3.10.
 *
 * In a header of its own with the fields in sight, since an interpreter's loop lives in them. One
 * block holds the header and the slots: local variables first, operands above them. A slot is NULL
 * or a reference that the frame owns; the collector may look at any moment at which something is
 * allocated, so that a popped operand's slot must be set to NULL. */
#ifndef HEAPMILL_GC_FRAME_H
#define HEAPMILL_GC_FRAME_H

#include "gc/object.h"

/* The parts of PyFrameObject (Include/cpython/frameobject.h, 3.10) that a plain call uses; the
 * block stack, which made it 456 bytes and more, is left out. */
struct frame_object {
    struct object base;
    size_t length;             /* slots */
    struct frame_object *back; /* the caller's, a reference; NULL: the outermost */
    size_t position;           /* the interpreter's own, as is depth: where it goes on, */
    size_t depth;              /* and the slots in use, while a call is under way */
    struct object *slots[];
};

/* A new reference to a frame with empty slots and no caller; NULL: exhausted. */
struct frame_object *(frame_new)(struct runtime *runtime, size_t slots);

#define frame_new(...) LEDGER_CALL(frame_new, __VA_ARGS__)

#endif
