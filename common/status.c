#include "common/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void error_fill(struct error *error, enum status status, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(error->message, sizeof(error->message), format, arguments);
        va_end(arguments);
        error->status = status;
    }
}

void fatal(const char *text)
{
    static const char prefix[] = "heapmill: fatal: ";
    /* One write each: a partial line is better than a buffer that has to be allocated. */
    ssize_t ignored = write(STDERR_FILENO, prefix, sizeof(prefix) - 1);
    ignored += write(STDERR_FILENO, text, strlen(text));
    ignored += write(STDERR_FILENO, "\n", 1);
    (void)ignored;
    abort();
}
