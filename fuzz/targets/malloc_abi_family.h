/* The malloc family of the allocator under test. */
#ifndef HEAPMILL_FUZZ_MALLOC_ABI_FAMILY_H
#define HEAPMILL_FUZZ_MALLOC_ABI_FAMILY_H

#include "preload/family.h"

/* A pointer for each member of the family, with C++'s operators; NULL: the library does not have
 * it. malloc and free always exist. */
#define FAMILY_EACH_(name, type, parameters, arguments) type(*name) parameters;
struct malloc_abi_family {
    FAMILY_ALL
};
#undef FAMILY_EACH_

/* The functions of the library that HEAPMILL_FUZZ_LIBRARY names, loaded beside the process's own
 * malloc; without it the process's own, which LD_PRELOAD may have replaced. Ends the process with a
 * message if the library cannot be loaded or has no malloc. */
const struct malloc_abi_family *malloc_abi_family_get(void);

#endif
