/* Refusals of what the object layer maps beside its heap: its own books (fuzz_memory.c). */
#ifndef HEAPMILL_FUZZ_FUZZ_MEMORY_H
#define HEAPMILL_FUZZ_FUZZ_MEMORY_H

#include <stdint.h>

/* Calls that map or commit scratch memory are numbered from 1; those from first to last are
 * refused. All zero: none is. */
struct fuzz_memory_faults {
    uint64_t calls;
    uint64_t first;
    uint64_t last;
    uint64_t refused; /* so many were */
};

extern struct fuzz_memory_faults fuzz_memory_faults;

#endif
