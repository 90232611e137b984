/* A command's output: kept in a file while the command runs, then compared with the output of the
 * command as it is. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_OUTPUT_H
#define HEAPMILL_RUN_COMMAND_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/status.h"

/* Opens a file without a name, for process_request.output_fd. The caller closes *fd. STATUS_IO. */
enum status output_open(int *fd, struct error *error);

/* Empties the file for the next run. */
void output_clear(int fd);

/* {bytes, hash, text}: the size, a 64-bit FNV-1a hash in hexadecimal, and the first 256 KiB if they
 * are UTF-8. A new reference; NULL: the file cannot be read. */
json_t *output_describe(int fd);

/* Says where the output differs from the described one: "line 3 is “b”, and was “a”". NULL: they
 * are equal. The caller frees. */
char *output_difference(const json_t *expected, int fd);

/* Copies the output to a file. STATUS_IO. */
enum status output_keep(int fd, const char *path, struct error *error);

#endif
