/* The malloc family of the allocator under test. */
#ifndef HEAPMILL_FUZZ_MALLOC_ABI_FAMILY_H
#define HEAPMILL_FUZZ_MALLOC_ABI_FAMILY_H

#include "preload/family.h"

/* A member for each of the family, C++'s operators too. They are NULL where the library has no such
 * function; malloc and free are always there. */
#define FAMILY_EACH_(name, type, parameters, arguments) type(*name) parameters;
struct malloc_abi_family {
    FAMILY_ALL
};
#undef FAMILY_EACH_

/* Of the library that HEAPMILL_FUZZ_LIBRARY names, loaded beside the process's own malloc;
 * without it the process's own, which LD_PRELOAD may have replaced. Ends the process with a message
 * when the library cannot be loaded or has no malloc. */
const struct malloc_abi_family *malloc_abi_family_get(void);

#endif
