/* Small helpers for text that every command needs. Running out of memory in any of these ends the
 * program with exit status 3 and a message: a command line tool has no better answer. One thread.
 */
#ifndef HEAPMILL_COMMON_HOST_TEXT_H
#define HEAPMILL_COMMON_HOST_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing array of strings that it owns; a NULL follows the last. All zero is empty, with items
 * NULL. */
struct text_list {
    char **items;
    size_t count;
};

/* printf into a string of its own; the caller frees it. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* realloc that does not return NULL; count × size may not overflow. */
void *text_grow(void *array, size_t count, size_t size);

/* calloc that does not return NULL; count 0 gives one zeroed element. */
void *text_zeroed(size_t count, size_t size);

/* Columns that text takes on a terminal: characters of UTF-8; combining ones are not told apart. */
size_t text_width(const char *text);

/* The length of the valid UTF-8 character at text, 0 if there is none (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF). Stops at the string's zero. */
size_t text_utf8_length(const unsigned char *text);

/* Takes item, which came from malloc. */
void text_list_add(struct text_list *list, char *item);
void text_list_free(struct text_list *list);

/* The items between separators, in order, the empty ones too. */
void text_split(struct text_list *list, const char *text, char separator);

/* Adds text cut into lines of at most width characters, at blanks where there are any. */
void text_wrap(struct text_list *lines, const char *text, size_t width);

/* One string of all items with the separator between; the caller frees it. */
char *text_join(const struct text_list *list, const char *separator);

/* Of the names the one that a person who typed `typed` most likely meant, or NULL when none is
 * near: the least optimal-string-alignment distance (insertions, deletions, substitutions,
 * neighbours exchanged), at most a third of the longer one's length; names that begin with `typed`
 * count as near. Borrowed. */
const char *text_nearest(const char *typed, const char *const *names, size_t count);

/* A finite number, the whole text; false otherwise. */
bool text_to_double(const char *text, double *value);

/* An unsigned decimal number, the whole text. */
bool text_to_u64(const char *text, uint64_t *value);

/* "90s", "5m", "2h", "1.5m", or a bare number of seconds; more than 0. */
bool text_to_seconds(const char *text, double *seconds);

/* A number or a string of JSON, short and exact: "1000000", "0.1". The caller frees. */
char *text_of_json(const json_t *value);

/* A string of JSON, whatever bytes another program wrote: in what is not UTF-8 every byte beyond
 * ASCII is a '?'. A new reference. */
json_t *text_to_json(const char *text);

/* "1.5 MiB", of so many significant digits, 3 or more. text has room for size bytes; returned. */
const char *text_of_bytes(char *text, size_t size, double bytes, int digits);

/* A whole number with its thousands apart: "12 345". As text_of_bytes. */
const char *text_of_count(char *text, size_t size, double count);

/* Up to a minute "42 s", then "4 min 10 s", then "2 h 05 min". text has room for size bytes. */
void text_of_seconds(char *text, size_t size, double seconds);

#endif
