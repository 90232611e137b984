#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct table_entry {
    char *text; /* NULL: empty */
    const char *start;
    const char *end;
};

struct table_column {
    char *title;
    enum table_align align;
};

/* A row of entries, or a line across the table (line is not NULL). */
struct table_row {
    struct table_entry *entries;
    char *line;
};

struct table {
    size_t column_count;
    struct table_column *columns;
    struct table_row *rows;
    size_t row_count;
    size_t row_capacity;
};

static void *table_require(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "heapmill: no memory for the table\n");
        exit(3);
    }
    return memory;
}

struct table *table_new(size_t columns)
{
    struct table *table = table_require(calloc(1, sizeof(*table)));
    table->column_count = columns;
    table->columns = table_require(calloc(columns, sizeof(*table->columns)));
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->row_count; i++) {
        struct table_row *row = &table->rows[i];
        for (size_t column = 0; row->entries != NULL && column < table->column_count; column++) {
            free(row->entries[column].text);
        }
        free(row->entries);
        free(row->line);
    }
    for (size_t column = 0; column < table->column_count; column++) {
        free(table->columns[column].title);
    }
    free(table->rows);
    free(table->columns);
    free(table);
}

void table_column(struct table *table, size_t column, const char *title, enum table_align align)
{
    free(table->columns[column].title);
    table->columns[column].title = table_require(strdup(title));
    table->columns[column].align = align;
}

static struct table_row *table_new_row(struct table *table)
{
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity * 2 + 16;
        table->rows =
            table_require(realloc(table->rows, table->row_capacity * sizeof(*table->rows)));
    }
    struct table_row *row = &table->rows[table->row_count++];
    *row = (struct table_row){0};
    return row;
}

void table_row(struct table *table)
{
    struct table_row *row = table_new_row(table);
    row->entries = table_require(calloc(table->column_count, sizeof(*row->entries)));
}

void table_line(struct table *table, const char *text)
{
    table_new_row(table)->line = table_require(strdup(text));
}

static struct table_entry *table_entry_at(struct table *table, size_t column)
{
    return &table->rows[table->row_count - 1].entries[column];
}

void table_cell(struct table *table, size_t column, const char *format, ...)
{
    struct table_entry *entry = table_entry_at(table, column);
    free(entry->text);
    entry->text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&entry->text, format, arguments) < 0) {
        entry->text = table_require(NULL);
    }
    va_end(arguments);
}

void table_cell_style(struct table *table, size_t column, const char *start, const char *end)
{
    struct table_entry *entry = table_entry_at(table, column);
    entry->start = start;
    entry->end = end;
}

size_t table_text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        /* Continuation bytes of UTF-8 are 10xxxxxx. */
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static size_t *table_measure(const struct table *table)
{
    size_t *widths = table_require(calloc(table->column_count, sizeof(*widths)));
    for (size_t column = 0; column < table->column_count; column++) {
        const char *title = table->columns[column].title;
        widths[column] = title != NULL ? table_text_width(title) : 0;
        for (size_t i = 0; i < table->row_count; i++) {
            const struct table_entry *entries = table->rows[i].entries;
            if (entries != NULL && entries[column].text != NULL) {
                size_t width = table_text_width(entries[column].text);
                widths[column] = width > widths[column] ? width : widths[column];
            }
        }
    }
    return widths;
}

/* Prints one line of cells. Blanks wait in `pending` until text follows, so that none end a line.
 */
static void table_print_row(const struct table *table, const size_t *widths,
                            const struct table_entry *entries, FILE *file)
{
    size_t pending = 0;
    for (size_t column = 0; column < table->column_count; column++) {
        const char *text = entries[column].text != NULL ? entries[column].text : "";
        size_t width = table_text_width(text);
        size_t padding = widths[column] - width;
        bool right = table->columns[column].align == TABLE_RIGHT;
        pending += right ? padding : 0;
        if (width > 0) {
            const struct table_entry *entry = &entries[column];
            fprintf(file, "%*s%s%s%s", (int)pending, "", entry->start != NULL ? entry->start : "",
                    text, entry->end != NULL ? entry->end : "");
            pending = 0;
        }
        pending += (right ? 0 : padding) + 2;
    }
    fputc('\n', file);
}

static void table_print_titles(const struct table *table, const size_t *widths, FILE *file)
{
    struct table_entry *titles = table_require(calloc(table->column_count, sizeof(*titles)));
    bool any = false;
    for (size_t column = 0; column < table->column_count; column++) {
        titles[column].text = table->columns[column].title;
        any = any || (titles[column].text != NULL && titles[column].text[0] != '\0');
    }
    if (any) {
        table_print_row(table, widths, titles, file);
    }
    free(titles);
}

void table_print(const struct table *table, FILE *file)
{
    size_t *widths = table_measure(table);
    table_print_titles(table, widths, file);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->line != NULL) {
            fprintf(file, "%s\n", row->line);
        } else {
            table_print_row(table, widths, row->entries, file);
        }
    }
    free(widths);
}

bool table_colour_allowed(FILE *file)
{
    const char *refused = getenv("NO_COLOR");
    return (refused == NULL || refused[0] == '\0') && isatty(fileno(file)) == 1;
}
