#include "common/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void json_writer_begin(struct json_writer *writer, char *buffer, size_t capacity)
{
    *writer = (struct json_writer){.buffer = buffer, .capacity = capacity};
}

__attribute__((format(printf, 2, 3))) static void put(struct json_writer *writer,
                                                      const char *format, ...)
{
    va_list arguments;
    if (writer->overflow) {
        return;
    }
    va_start(arguments, format);
    size_t room = writer->capacity - writer->length;
    int wanted = vsnprintf(writer->buffer + writer->length, room, format, arguments);
    va_end(arguments);
    if (wanted < 0 || (size_t)wanted >= room) {
        writer->overflow = true;
        return;
    }
    writer->length += (size_t)wanted;
}

static void put_quoted(struct json_writer *writer, const char *text)
{
    put(writer, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            put(writer, "\\%c", *c);
        } else if (*c < 0x20 || *c >= 0x7f) {
            /* Bytes beyond ASCII may not be UTF-8 (paths): their code points keep the text valid.
             */
            put(writer, "\\u%04x", *c);
        } else {
            put(writer, "%c", *c);
        }
    }
    put(writer, "\"");
}

static void put_name(struct json_writer *writer, const char *name)
{
    if (writer->comma) {
        put(writer, ",");
    }
    if (name != NULL) {
        put_quoted(writer, name);
        put(writer, ":");
    }
    writer->comma = true;
}

void json_open_object(struct json_writer *writer, const char *name)
{
    put_name(writer, name);
    put(writer, "{");
    writer->comma = false;
}

void json_close_object(struct json_writer *writer)
{
    put(writer, "}");
    writer->comma = true;
}

void json_open_array(struct json_writer *writer, const char *name)
{
    put_name(writer, name);
    put(writer, "[");
    writer->comma = false;
}

void json_close_array(struct json_writer *writer)
{
    put(writer, "]");
    writer->comma = true;
}

void json_add_string(struct json_writer *writer, const char *name, const char *value)
{
    put_name(writer, name);
    put_quoted(writer, value);
}

void json_add_u64(struct json_writer *writer, const char *name, uint64_t value)
{
    put_name(writer, name);
    put(writer, "%" PRIu64, value);
}

void json_add_i64(struct json_writer *writer, const char *name, int64_t value)
{
    put_name(writer, name);
    put(writer, "%" PRId64, value);
}

void json_add_double(struct json_writer *writer, const char *name, double value)
{
    put_name(writer, name);
    if (isfinite(value)) {
        put(writer, "%.17g", value);
    } else {
        put(writer, "null");
    }
}

void json_add_tenths(struct json_writer *writer, const char *name, uint64_t value)
{
    put_name(writer, name);
    put(writer, "%" PRIu64, value / 10);
    if (value % 10 != 0) {
        put(writer, ".%" PRIu64, value % 10);
    }
}

void json_add_bool(struct json_writer *writer, const char *name, bool value)
{
    put_name(writer, name);
    put(writer, value ? "true" : "false");
}

size_t json_writer_end(struct json_writer *writer)
{
    put(writer, "\n");
    return writer->overflow ? 0 : writer->length;
}
