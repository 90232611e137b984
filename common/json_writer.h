/* Writes JSON into a caller's buffer without allocating: for the workers, whose malloc is the thing
 * that is measured. (The heapmill program itself uses jansson.) Overflow is remembered, never
 * written past; check json_writer_end. Not thread-safe: one writer, one thread. */
#ifndef HEAPMILL_COMMON_JSON_WRITER_H
#define HEAPMILL_COMMON_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
    char *buffer; /* the caller's */
    size_t capacity;
    size_t length;
    bool comma;    /* the next value needs one before it */
    bool overflow; /* something did not fit: the text is unusable */
};

void json_writer_begin(struct json_writer *writer, char *buffer, size_t capacity);

/* name is NULL inside an array and at the top. */
void json_open_object(struct json_writer *writer, const char *name);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer, const char *name);
void json_close_array(struct json_writer *writer);
void json_add_string(struct json_writer *writer, const char *name, const char *value);
void json_add_u64(struct json_writer *writer, const char *name, uint64_t value);
void json_add_i64(struct json_writer *writer, const char *name, int64_t value);
/* Seventeen significant digits; a value that JSON cannot hold (inf, nan) becomes null. */
void json_add_double(struct json_writer *writer, const char *name, double value);
/* A tenth of value, with one digit after the point where it needs one. */
void json_add_tenths(struct json_writer *writer, const char *name, uint64_t value);
void json_add_bool(struct json_writer *writer, const char *name, bool value);

/* Ends the text with "\n\0"; the length without the zero, or 0 after an overflow. */
size_t json_writer_end(struct json_writer *writer);

#endif
