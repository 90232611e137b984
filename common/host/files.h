/* Files and directories, as the heapmill program needs them: read whole, written whole or not at
 * all, appended durably, locked. One thread. */
#ifndef HEAPMILL_COMMON_HOST_FILES_H
#define HEAPMILL_COMMON_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

/* The whole file, followed by a zero byte that size does not count. *bytes is the caller's; it is
 * NULL after an error. STATUS_NOT_FOUND: there is no such file; STATUS_IO. */
enum status file_read(const char *path, char **bytes, size_t *size, struct error *error);

/* `count` bytes from `offset` of an open file, followed by a zero byte. *bytes is the caller's,
 * NULL after an error. STATUS_IO: it could not be read, or is shorter. */
enum status file_read_part(int fd, uint64_t offset, size_t count, char **bytes,
                           struct error *error);

/* Writes the file whole or not at all, whatever happens and whenever: to PATH.tmp, fsynced,
 * renamed, the directory fsynced. STATUS_IO: the file is as it was. */
enum status file_replace(const char *path, const void *bytes, size_t size, struct error *error);

/* The same without any fsync: whole or not at all for other processes, not after a power cut. For
 * many small files that can be made again. */
enum status file_write(const char *path, const void *bytes, size_t size, struct error *error);

/* Writes all bytes to an open file and fsyncs it. path is for the message. STATUS_IO: some of them
 * may have been written. */
enum status file_append(int fd, const char *path, const void *bytes, size_t count,
                        struct error *error);

/* Makes the directory and those above it. One that is there is no error. STATUS_IO. */
enum status file_make_directory(const char *path, struct error *error);

/* Makes the directory's entries (created and renamed files) durable. STATUS_IO. */
enum status file_sync_directory(const char *path, struct error *error);

/* Takes DIRECTORY/lock with flock and writes this process's id into it. *fd holds the lock until it
 * is closed; a child of this process does not inherit it. STATUS_BUSY: the message has the other's
 * process id. STATUS_IO. */
enum status file_lock_directory(const char *directory, int *fd, struct error *error);

/* Adds the names of the directory's regular files, sorted by their bytes. None where it cannot be
 * read. */
void file_list_names(const char *directory, struct text_list *names);

/* The path of a program of PATH, or NULL. The caller frees it. */
char *file_find_program(const char *program);

#endif
