/* Helpers for text. If memory runs out in any of these, the program ends with exit status 3 and a
 * message: a command line tool can do no better. One thread. */
#ifndef HEAPMILL_COMMON_HOST_TEXT_H
#define HEAPMILL_COMMON_HOST_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing array of strings, which it owns, with a NULL after the last. A zeroed list is empty;
 * its items are NULL. */
struct text_list {
    char **items;
    size_t count;
};

/* Prints into a new string; the caller frees it. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A realloc that never returns NULL. count × size must not overflow. */
void *text_grow(void *array, size_t count, size_t size);

/* A calloc that never returns NULL. A count of 0 gives one zeroed element. */
void *text_zeroed(size_t count, size_t size);

/* The columns of a text on a terminal: its UTF-8 characters; combining ones count too. */
size_t text_width(const char *text);

/* The length of the valid UTF-8 character at text; 0: it is invalid (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF). Stops at the string's zero. */
size_t text_utf8_length(const unsigned char *text);

/* Adds item, which must come from malloc; the list owns it. */
void text_list_add(struct text_list *list, char *item);
void text_list_free(struct text_list *list);

/* Adds the items between separators, in order, with empty ones. */
void text_split(struct text_list *list, const char *text, char separator);

/* Adds text as lines of at most width characters, cut at blanks if possible. */
void text_wrap(struct text_list *lines, const char *text, size_t width);

/* Joins all items with the separator; the caller frees the string. */
char *text_join(const struct text_list *list, const char *separator);

/* Finds the name that a person who typed `typed` most likely meant; NULL: no name is near. It has
 * the smallest optimal-string-alignment distance (insertions, deletions, substitutions, exchanged
 * neighbours), which must be at most a third of the longer name's length. Names that begin with
 * `typed` count as near. Borrowed. */
const char *text_nearest(const char *typed, const char *const *names, size_t count);

/* Parses the whole text as a finite number; false: it is none. */
bool text_to_double(const char *text, double *value);

/* Parses the whole text as an unsigned decimal number; false: it is none. */
bool text_to_u64(const char *text, uint64_t *value);

/* Parses "90s", "5m", "2h", "1.5m", or a number of seconds, above 0; false: it is none. */
bool text_to_seconds(const char *text, double *seconds);

/* Prints a number or a string of JSON, short and exact: "1000000", "0.1". The caller frees. */
char *text_of_json(const json_t *value);

/* Makes a string of JSON from any bytes of another program. If they are not UTF-8, each byte beyond
 * ASCII becomes '?'. A new reference. */
json_t *text_to_json(const char *text);

/* Prints "1.5 MiB" with that many significant digits (at least 3) into text, which has `size`
 * bytes. Returns text. */
const char *text_of_bytes(char *text, size_t size, double bytes, int digits);

/* Prints a whole number with separated thousands, "12 345". As text_of_bytes. */
const char *text_of_count(char *text, size_t size, double count);

/* Prints "42 s" up to a minute, then "4 min 10 s", then "2 h 05 min", into text, which has `size`
 * bytes. */
void text_of_seconds(char *text, size_t size, double seconds);

#endif
