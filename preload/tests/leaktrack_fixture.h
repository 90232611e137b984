/* What the tests of the leak tracker share: call sites that are numbers. */
#ifndef HEAPMILL_PRELOAD_TESTS_LEAKTRACK_FIXTURE_H
#define HEAPMILL_PRELOAD_TESTS_LEAKTRACK_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "preload/leaktrack.h"

/* The first of count sites that no block was booked on. */
uint64_t leaktrack_fixture_new_sites(uint64_t count);
void leaktrack_fixture_add(void *block, size_t bytes, uint64_t site);
/* NULL: nothing was booked on it. */
struct leaktrack_site *leaktrack_fixture_site(uint64_t site);
/* A file's text; the caller frees. NULL: it cannot be read. */
char *leaktrack_fixture_read(const char *path);

#endif
