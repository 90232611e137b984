/* Chooses the adapter of a back end's library: whole if the back end can do all that malloc must;
 * otherwise locked, with glibc for the rest. */
#ifndef HEAPMILL_PRELOAD_HEAP_ADAPTER_H
#define HEAPMILL_PRELOAD_HEAP_ADAPTER_H

#include "allocators/backend.h"

#if (HEAP_CAPABILITIES & HEAP_IS_WHOLE) == HEAP_IS_WHOLE
#include "preload/whole.h"
#else
#include "preload/locked.h"
#endif

#endif
