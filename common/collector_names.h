/* Collectors whose names have changed. Older plans, records and command lines have the former name,
 * and are read as if they had the present one. */
#ifndef HEAPMILL_COMMON_COLLECTOR_NAMES_H
#define HEAPMILL_COMMON_COLLECTOR_NAMES_H

#include <string.h>

/* The present name; the same pointer if the name has not changed. Never fails. */
static inline const char *collector_present_name(const char *name)
{
    return strcmp(name, "ours") == 0 ? "snapshot" : name;
}

#endif
