/* Status codes and error messages of the whole library.
 *
 * Functions that can fail return an enum status; 0 is success. The sentence for the user, which
 * names the remedy, goes to a caller-owned struct error. None of these functions allocates. */
#ifndef HEAPMILL_COMMON_STATUS_H
#define HEAPMILL_COMMON_STATUS_H

#include <stddef.h>

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,     /* an argument or a file's content is wrong */
    STATUS_NO_MEMORY,   /* the system refused memory */
    STATUS_IO,          /* a file or process operation failed */
    STATUS_NOT_FOUND,   /* a named thing does not exist */
    STATUS_UNSUPPORTED, /* this machine, build or back end cannot do it */
    STATUS_BUSY,        /* somebody else holds it */
    STATUS_CORRUPT,     /* a file was damaged */
    STATUS_INTERRUPTED, /* a signal asked to stop */
};

struct error {
    enum status status;
    char message[1024];
};

/* Fills *error (which may be NULL) with status and the formatted message; one that is too long is
 * cut. */
void error_fill(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline enum status error_same(enum status status)
{
    return status;
}

/* error_fill, then status as the value, for `return error_set(...)`. A macro, so that a reader and
 * a static analyser both see that what comes out is what went in. */
#define error_set(error, status, ...) (error_fill(error, status, __VA_ARGS__), error_same(status))

/* Writes "heapmill: fatal: TEXT\n" to standard error with write(2) and aborts. For misuse of an
 * allocator (double free, wrong size), where nothing may be allocated and no state trusted. */
void fatal(const char *text) __attribute__((noreturn, cold));

#endif
