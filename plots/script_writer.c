#include "plots/script_writer.h"

#include "common/host/text.h"

#include <stdlib.h>

#include <math.h>

/* The length of the valid UTF-8 character at text, 0 if there is none (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF). Stops at the string's zero. */
static size_t utf8_length(const unsigned char *text)
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

/* Writes text with every '\'' or '"' that is `from` replaced by `to`. */
static void write_clean(FILE *file, const char *text, char from, const char *to)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t length = utf8_length(at);
        if (length == 0 || *at < ' ' || *at == 0x7f) {
            fputc('?', file);
            length = 1;
        } else if (length == 1 && (char)*at == from) {
            fputs(to, file);
        } else {
            fwrite(at, 1, length, file);
        }
        at += length;
    }
}

static void write_quoted(FILE *script, const char *text)
{
    fputc('\'', script);
    write_clean(script, text, '\'', "''");
    fputc('\'', script);
}

static void write_number(FILE *file, double value, int digits)
{
    if (isnan(value)) {
        fputs("NaN", file);
    } else {
        fprintf(file, "%.*g", digits, value);
    }
}

void script_string(FILE *script, const char *name, const char *text)
{
    fprintf(script, "%s = ", name);
    write_quoted(script, text);
    fputc('\n', script);
}

void script_number(FILE *script, const char *name, double value)
{
    fprintf(script, "%s = ", name);
    write_number(script, value, 9);
    fputc('\n', script);
}

static void begin_array(FILE *script, const char *name, size_t count)
{
    fprintf(script, "%s_count = %zu\narray %s[%zu] = [", name, count, name, count ? count : 1);
}

void script_strings(FILE *script, const char *name, const char *const *texts, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", script);
        write_quoted(script, texts[i]);
    }
    fputs(count ? "]\n" : "'']\n", script);
}

void script_numbers(FILE *script, const char *name, const double *values, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", script);
        write_number(script, values[i], 9);
    }
    fputs(count ? "]\n" : "0]\n", script);
}

void script_colors(FILE *script, const char *name, const uint32_t *colors, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        fprintf(script, "%s0x%06x", i ? ", " : "", colors[i]);
    }
    fputs(count ? "]\n" : "0]\n", script);
}

void script_comment_text(FILE *script, const char *text)
{
    write_clean(script, text, '\0', "");
}

void tsv_text(FILE *table, const char *text)
{
    if (text[0] == '\0') {
        fputc('-', table);
    } else {
        write_clean(table, text, '"', "'");
    }
}

void tsv_number(FILE *table, double value)
{
    write_number(table, value, 9);
}

void script_rows(FILE *script, const struct script_row *rows, size_t count)
{
    const char **labels = text_zeroed(count, sizeof *labels);
    const char **dashes = text_zeroed(count, sizeof *dashes);
    uint32_t *colors = text_zeroed(count, sizeof *colors);
    double *markers = text_zeroed(count, sizeof *markers);
    for (size_t i = 0; i < count; i++) {
        labels[i] = rows[i].label;
        dashes[i] = rows[i].dash;
        colors[i] = rows[i].color;
        markers[i] = rows[i].marker;
    }
    script_strings(script, "row_label", labels, count);
    script_colors(script, "row_color", colors, count);
    script_numbers(script, "row_marker", markers, count);
    script_strings(script, "row_dash", dashes, count);
    free(labels);
    free(dashes);
    free(colors);
    free(markers);
}
