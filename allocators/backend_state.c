/* The contract's own counters, once in each program that binds a back end. */
#include "allocators/backend.h"

_Thread_local uint64_t heap_allocations;

#ifdef HEAPMILL_PROBE
struct heap_probe heap_probe;
#endif

#ifdef HEAPMILL_FAULTS
_Thread_local struct heap_faults heap_faults;
#endif
