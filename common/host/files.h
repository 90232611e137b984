/* Files and directories for the heapmill program: read whole, written whole or not at all, appended
 * durably, locked. One thread. */
#ifndef HEAPMILL_COMMON_HOST_FILES_H
#define HEAPMILL_COMMON_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

/* Reads the whole file and adds a zero byte that size does not count. The caller frees *bytes,
 * which is NULL after an error. STATUS_NOT_FOUND: there is no such file; STATUS_IO. */
enum status file_read(const char *path, char **bytes, size_t *size, struct error *error);

/* Reads `count` bytes from `offset` of an open file, and adds a zero byte. The caller frees *bytes,
 * which is NULL after an error. STATUS_IO: reading failed, or the file is shorter. */
enum status file_read_part(int fd, uint64_t offset, size_t count, char **bytes,
                           struct error *error);

/* Writes the file whole or not at all, even if it is killed or the power fails: to PATH.tmp,
 * fsynced, renamed, and the directory fsynced. STATUS_IO: the file is unchanged. */
enum status file_replace(const char *path, const void *bytes, size_t size, struct error *error);

/* The same without fsync: whole or not at all for other processes, but not after a power cut. For
 * many small files that can be made again. */
enum status file_write(const char *path, const void *bytes, size_t size, struct error *error);

/* Writes all bytes to an open file and fsyncs it. path is for the message. STATUS_IO: a part may
 * have been written. */
enum status file_append(int fd, const char *path, const void *bytes, size_t count,
                        struct error *error);

/* Makes the directory and its parents. An existing one is no error. STATUS_IO. */
enum status file_make_directory(const char *path, struct error *error);

/* Makes created and renamed entries of the directory durable. STATUS_IO. */
enum status file_sync_directory(const char *path, struct error *error);

/* Takes DIRECTORY/lock with flock, and writes this process's id into it. *fd holds the lock until
 * it is closed; a child does not inherit it. STATUS_BUSY: the message has the other process's id.
 * STATUS_IO. */
enum status file_lock_directory(const char *directory, int *fd, struct error *error);

/* Adds the names of the directory's regular files, sorted by their bytes. Adds none if it cannot be
 * read. */
void file_list_names(const char *directory, struct text_list *names);

/* Removes the directory with all that is in it, as far as it can. Symbolic links are removed, not
 * followed. */
void file_remove_tree(const char *path);

/* Finds a program in PATH; NULL: there is none. The caller frees the path. */
char *file_find_program(const char *program);

#endif
