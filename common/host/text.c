#include "common/host/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/exit_status.h"

static void text_no_memory(void) __attribute__((noreturn));

static void text_no_memory(void)
{
    (void)fputs("heapmill: out of memory\n", stderr);
    exit(EXIT_ENVIRONMENT);
}

char *text_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text_no_memory();
    }
    return text;
}

void *text_grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count, size);
    if (grown == NULL) {
        text_no_memory();
    }
    return grown;
}

void *text_zeroed(size_t count, size_t size)
{
    void *array = calloc(count > 0 ? count : 1, size);
    if (array == NULL) {
        text_no_memory();
    }
    return array;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        /* Continuation bytes of UTF-8 are 10xxxxxx. */
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

size_t text_utf8_length(const unsigned char *text)
{
    if (text[0] < 0x80) {
        return 1;
    }
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90)) {
        return 0;
    }
    return length;
}

void text_list_add(struct text_list *list, char *item)
{
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    list->items = text_grow(list->items, list->count + 2, sizeof(*list->items));
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

void text_list_free(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct text_list){0};
}

void text_split(struct text_list *list, const char *text, char separator)
{
    const char *begin = text;
    const char *end;
    while ((end = strchr(begin, separator)) != NULL) {
        text_list_add(list, text_format("%.*s", (int)(end - begin), begin));
        begin = end + 1;
    }
    text_list_add(list, text_format("%s", begin));
}

/* The bytes of the first line of text: the longest run of whole words that fits, or `width`
 * characters of a word that is too long. */
static size_t text_line_bytes(const char *text, size_t width)
{
    size_t characters = 0;
    size_t last_blank = 0;
    size_t at = 0;
    while (text[at] != '\0') {
        if (text[at] == ' ') {
            last_blank = at;
        }
        if (characters == width) {
            return last_blank > 0 ? last_blank : at;
        }
        at++;
        while (((unsigned char)text[at] & 0xc0) == 0x80) {
            at++;
        }
        characters++;
    }
    return at;
}

void text_wrap(struct text_list *lines, const char *text, size_t width)
{
    text += strspn(text, " ");
    while (*text != '\0') {
        size_t length = text_line_bytes(text, width > 0 ? width : 1);
        text_list_add(lines, text_format("%.*s", (int)length, text));
        text += length;
        text += strspn(text, " ");
    }
}

char *text_join(const struct text_list *list, const char *separator)
{
    char *joined = text_format("%s", list->count > 0 ? list->items[0] : "");
    for (size_t i = 1; i < list->count; i++) {
        char *longer = text_format("%s%s%s", joined, separator, list->items[i]);
        free(joined);
        joined = longer;
    }
    return joined;
}

enum { TEXT_NAME_MAX = 63 };

static size_t text_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The distance between two names of at most TEXT_NAME_MAX characters. */
static size_t text_distance(const char *a, const char *b)
{
    size_t rows[3][TEXT_NAME_MAX + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];
    size_t width = strlen(b);
    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= width; j++) {
        above[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = text_min(changed, text_min(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = text_min(row[j], before[j - 2] + 1);
            }
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[width];
}

const char *text_nearest(const char *typed, const char *const *names, size_t count)
{
    size_t length = strlen(typed);
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count && length <= TEXT_NAME_MAX; i++) {
        size_t other = strlen(names[i]);
        if (other > TEXT_NAME_MAX) {
            continue;
        }
        size_t distance = text_distance(typed, names[i]);
        size_t limit = (length > other ? length : other) / 3;
        bool begins = length > 0 && strncmp(names[i], typed, length) == 0;
        if ((distance <= limit || begins) && distance < best_distance) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}

bool text_to_double(const char *text, double *value)
{
    char *end = NULL;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*value);
}

bool text_to_u64(const char *text, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

bool text_to_seconds(const char *text, double *seconds)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    double unit = 1;
    if (end == text || errno != 0) {
        return false;
    }
    if (*end != '\0') {
        unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;
        end++;
    }
    *seconds = value * unit;
    return *end == '\0' && isfinite(*seconds) && *seconds > 0;
}

char *text_of_json(const json_t *value)
{
    if (json_is_string(value)) {
        return text_format("%s", json_string_value(value));
    }
    double number = json_number_value(value);
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    if (number == floor(number) && fabs(number) < 1e15) {
        (void)snprintf(text, sizeof(text), "%.0f", number); /* prints 1000000, not 1e+06 */
    }
    return text_format("%s", text);
}

const char *text_of_bytes(char *text, size_t size, double bytes, int digits)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double limit = digits > 3 ? 1024 : 999.5; /* with three digits, %g would print 1000 as 1e+03 */
    size_t unit = 0;
    for (; fabs(bytes) >= limit && unit + 1 < sizeof(units) / sizeof(units[0]); unit++) {
        bytes /= 1024;
    }
    (void)snprintf(text, size, "%.*g %s", digits, bytes, units[unit]);
    return text;
}

const char *text_of_count(char *text, size_t size, double count)
{
    char digits[32];
    int length = snprintf(digits, sizeof(digits), "%.0f", count);
    size_t at = 0;
    for (int i = 0; i < length && at + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') {
            text[at++] = ' ';
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

void text_of_seconds(char *text, size_t size, double seconds)
{
    unsigned long whole = seconds < 1 ? 1 : (unsigned long)lround(seconds);
    if (whole < 60) {
        (void)snprintf(text, size, "%lu s", whole);
    } else if (whole < 3600) {
        (void)snprintf(text, size, "%lu min %02lu s", whole / 60, whole % 60);
    } else {
        (void)snprintf(text, size, "%lu h %02lu min", whole / 3600, whole % 3600 / 60);
    }
}

json_t *text_to_json(const char *text)
{
    json_t *json = json_string(text);
    if (json != NULL) {
        return json;
    }
    char *copy = text_format("%s", text);
    for (char *next = copy; *next != '\0'; next++) {
        *next = (char)((unsigned char)*next < 0x80 ? *next : '?');
    }
    json = json_string(copy);
    free(copy);
    return json;
}
