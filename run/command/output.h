/* What a command prints: kept in a file while it runs, and compared with what it prints without any
 * allocator under it. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_OUTPUT_H
#define HEAPMILL_RUN_COMMAND_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/status.h"

/* A file without a name, for process_request.output_fd. *fd is the caller's to close. STATUS_IO. */
enum status output_open(int *fd, struct error *error);

/* Empties it, for the next run. */
void output_clear(int fd);

/* {bytes, hash, text}: its size, a 64-bit FNV-1a hash in hexadecimal, and its first 256 KiB where
 * those are UTF-8. The caller's; NULL: it cannot be read. */
json_t *output_describe(int fd);

/* Where the output differs from the one that was described: "line 3 is “b”, and was “a”". NULL: it
 * does not. The caller frees. */
char *output_difference(const json_t *expected, int fd);

/* Copies it to a file. STATUS_IO. */
enum status output_keep(int fd, const char *path, struct error *error);

#endif
