/* The back ends of this build. run/CMakeLists.txt writes the .c file. Only registry.c reads it. */
#ifndef HEAPMILL_RUN_REGISTRY_TABLE_H
#define HEAPMILL_RUN_REGISTRY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { REGISTRY_ITEMS_MAX = 8 };

struct registry_row {
    const char *name;
    const char *source; /* of allocators/; "reference" */
    const char *text;   /* parameters of a back end, summary of a reference; "" for a peer */
    const char *items[REGISTRY_ITEMS_MAX + 1]; /* arms, or the sonames of a peer; ends with NULL */
};

/* Another name of a back end, as `cpython` for the newest CPython. */
struct registry_alias {
    const char *alias;
    const char *name;
};

/* Was this build made with a sanitizer? */
extern const bool registry_sanitized;

/* Each table ends with a NULL name. */
extern const struct registry_row registry_backends[];   /* heapmill_backend() lines */
extern const struct registry_row registry_peers[];      /* heapmill_peer() lines */
extern const struct registry_row registry_references[]; /* heapmill_reference() lines */
extern const struct registry_alias registry_aliases[];

#endif
