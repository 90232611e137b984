/* What this build has, as CMake writes it down (run/CMakeLists.txt makes the .c). Read by
 * registry.c alone. */
#ifndef HEAPMILL_RUN_REGISTRY_TABLE_H
#define HEAPMILL_RUN_REGISTRY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { REGISTRY_ITEMS_MAX = 8 };

struct registry_row {
    const char *name;
    const char *source; /* of allocators/; "reference" */
    const char *text;   /* parameters of a back end, the summary of a reference; "" of a peer */
    const char *items[REGISTRY_ITEMS_MAX + 1]; /* arms; of a peer its sonames; ends with NULL */
};

/* Another name of a back end, as `cpython` of the newest CPython's. */
struct registry_alias {
    const char *alias;
    const char *name;
};

/* Built with a sanitizer? */
extern const bool registry_sanitized;

/* Each ends with a NULL name. */
extern const struct registry_row registry_backends[];   /* heapmill_backend() lines */
extern const struct registry_row registry_peers[];      /* heapmill_peer() lines */
extern const struct registry_row registry_references[]; /* heapmill_reference() lines */
extern const struct registry_alias registry_aliases[];

#endif
