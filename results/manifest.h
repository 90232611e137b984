/* The manifest of a run's directory: SHA256SUMS, the digest of each of its files, in the format
 * that `sha256sum -c` reads. It is there when a run has ended and while nothing has been added
 * since.
 *
 * plots/ and the lock are not in it: pictures can be drawn again. One thread. */
#ifndef HEAPMILL_RESULTS_MANIFEST_H
#define HEAPMILL_RESULTS_MANIFEST_H

#include <stdbool.h>

#include "common/host/text.h"
#include "common/status.h"

#define MANIFEST_NAME "SHA256SUMS"

/* Writes it, whole or not at all. STATUS_NOT_FOUND: no such directory; STATUS_IO. */
enum status manifest_write(const char *directory, struct error *error);

/* The run goes on: what the manifest says is no longer so. */
void manifest_remove(const char *directory);

bool manifest_is_there(const char *directory);

/* Is every file as the manifest says, and no other there? STATUS_NOT_FOUND: there is no manifest;
 * STATUS_CORRUPT, with the file: one is changed, missing or added; STATUS_IO. */
enum status manifest_verify(const char *directory, struct error *error);

/* The names of the files, sorted, without the manifest. Adds to the list. STATUS_NOT_FOUND,
 * STATUS_IO. */
enum status manifest_list(const char *directory, struct text_list *names, struct error *error);

#endif
