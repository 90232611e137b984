#include "plots/plot_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"

char *plot_text_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        fatal("out of memory while drawing");
    }
    return text;
}

void *plot_text_array(size_t count, size_t size)
{
    void *array = calloc(count ? count : 1, size);
    if (!array) {
        fatal("out of memory while drawing");
    }
    return array;
}

size_t plot_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

/* Bytes of the first line of text: the longest run of whole words that fits, or width characters of
 * a word that does not fit alone. */
static size_t line_length(const char *text, size_t width)
{
    size_t characters = 0;
    size_t last_blank = 0;
    size_t at = 0;
    while (text[at]) {
        if (text[at] == ' ') {
            last_blank = at;
        }
        if (characters == width) {
            return last_blank ? last_blank : at;
        }
        at++;
        while (((unsigned char)text[at] & 0xc0) == 0x80) {
            at++;
        }
        characters++;
    }
    return at;
}

void plot_text_wrap(const char *text, size_t width, char ***lines, size_t *count)
{
    text += strspn(text, " ");
    while (*text) {
        size_t length = line_length(text, width ? width : 1);
        *lines = reallocarray(*lines, *count + 1, sizeof **lines);
        if (!*lines) {
            fatal("out of memory while drawing");
        }
        (*lines)[(*count)++] = plot_text_format("%.*s", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

void plot_text_free_lines(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(lines[i]);
    }
    free(lines);
}

const char *plot_text_bytes(double bytes, char *buffer, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buffer, size, "%.3g %s", bytes, units[unit]);
    return buffer;
}
