/* SHA-256 of files, by which a run's files and the programs that it measured are known again. */
#ifndef HEAPMILL_COMMON_HOST_SHA256_H
#define HEAPMILL_COMMON_HOST_SHA256_H

#include <stddef.h>

#include "common/status.h"

enum { SHA256_TEXT_BYTES = 65 }; /* 64 hexadecimal digits and a zero */

/* The digest of bytes, as `sha256sum` writes it. FIPS 180-4. */
void sha256_of_bytes(const void *bytes, size_t count, char text[SHA256_TEXT_BYTES]);

/* The digest of a file's content. STATUS_NOT_FOUND: there is none of that name; STATUS_IO. */
enum status sha256_of_file(const char *path, char text[SHA256_TEXT_BYTES], struct error *error);

#endif
