/* File operations that the store's promises rest on. Private to results/. */
#ifndef HEAPMILL_RESULTS_STORE_FILE_H
#define HEAPMILL_RESULTS_STORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum { STORE_PATH_MAX = 4096 };

/* "DIRECTORY/NAME". STATUS_INVALID: too long. */
enum status store_file_path(char path[STORE_PATH_MAX], const char *directory, const char *name,
                            struct error *error);

/* mkdir -p. */
enum status store_file_make_directory(const char *directory, struct error *error);

/* Makes entries of the directory (created and renamed files) durable. */
enum status store_file_sync_directory(const char *directory, struct error *error);

/* Writes all bytes and fsyncs. path is for the message. */
enum status store_file_write(int fd, const char *path, const void *bytes, size_t count,
                             struct error *error);

/* Writes DIRECTORY/NAME whole or not at all: to NAME.tmp, fsynced, renamed, the directory fsynced.
 */
enum status store_file_replace(const char *directory, const char *name, const void *bytes,
                               size_t count, struct error *error);

/* Takes DIRECTORY/lock with flock and writes this process's id into it; *fd holds it until closed.
 * STATUS_BUSY: the message has the other's id. */
enum status store_file_lock(const char *directory, int *fd, struct error *error);

#endif
