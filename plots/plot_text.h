/* Strings that the figures put together. Internal to plots/. */
#ifndef HEAPMILL_PLOTS_PLOT_TEXT_H
#define HEAPMILL_PLOTS_PLOT_TEXT_H

#include <stddef.h>

/* printf into new memory; the caller's. Running out of memory ends the program with a message: a
 * figure is a matter of kilobytes, and nothing is lost but the figure. */
char *plot_text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* calloc with the same manners. count 0 gives one zeroed element. */
void *plot_text_array(size_t count, size_t size);

/* Characters of UTF-8. */
size_t plot_text_width(const char *text);

/* text cut into lines of at most width characters, at blanks where there are any. Adds copies to
 * *lines (grown; the caller's, like each line) and to *count. */
void plot_text_wrap(const char *text, size_t width, char ***lines, size_t *count);
void plot_text_free_lines(char **lines, size_t count);

/* 1234567890 as "1.15 GiB", three significant digits; bytes >= 0. Into buffer, which it returns. */
const char *plot_text_bytes(double bytes, char *buffer, size_t size);

#endif
