/* Puts pictures into a page, each with the table from which it was drawn. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "report/part.h"

enum { FIGURE_ROWS_MAX = 160, FIGURE_COLUMNS_MAX = 16 };

/* The title in a table's head, borrowed from its lines; NULL: it has none. */
static const char *figure_title(const struct text_list *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strncmp(lines->items[i], "# title: ", 9) == 0) {
            return lines->items[i] + 9;
        }
    }
    return NULL;
}

/* The description of the columns in the head, after "columns: ", without parentheses. The caller
 * frees. */
static char *figure_columns(const struct text_list *lines)
{
    char *all = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&all, &size);
    bool inside = false;
    int depth = 0;
    for (size_t i = 0; file != NULL && i < lines->count && lines->items[i][0] == '#'; i++) {
        const char *at = lines->items[i] + 1;
        const char *begin = inside ? at : strstr(at, "columns: ");
        if (begin == NULL) {
            continue;
        }
        begin += inside ? strspn(begin, " ") : strlen("columns: ");
        (void)fputs(inside ? " " : "", file);
        inside = true;
        for (; *begin != '\0'; begin++) {
            depth += *begin == '(';
            if (depth == 0) {
                (void)fputc(*begin, file);
            }
            depth -= *begin == ')';
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return all != NULL ? all : text_format("%s", "");
}

static void figure_name_columns(struct table *table, const struct text_list *lines, size_t count)
{
    struct text_list names = {0};
    char *columns = figure_columns(lines);
    text_split(&names, columns, ',');
    for (size_t i = 0; i < count; i++) {
        const char *name = names.count == count ? names.items[i] : "";
        char *numbered = text_format("column %zu", i + 1);
        (void)table_column(table, NULL, name[0] != '\0' ? name + strspn(name, " ") : numbered,
                           TABLE_LEFT);
        free(numbered);
    }
    text_list_free(&names);
    free(columns);
}

static bool figure_is_row(const char *line)
{
    return line[0] != '#' && line[0] != '\0';
}

static void figure_add_row(struct table *table, const char *line)
{
    struct text_list fields = {0};
    text_split(&fields, line, '\t');
    table_row(table);
    for (size_t i = 0; i < fields.count && i < table->column_count; i++) {
        double number;
        if (text_to_double(fields.items[i], &number)) {
            table_number(table, i, "%.6g", number);
        } else {
            table_cell(table, i, "%s", fields.items[i]);
        }
    }
    text_list_free(&fields);
}

static size_t figure_fields(const char *line)
{
    size_t count = 1;
    for (; *line != '\0'; line++) {
        count += *line == '\t';
    }
    return count < FIGURE_COLUMNS_MAX ? count : FIGURE_COLUMNS_MAX;
}

/* Adds the rows of the table; of a long table only every nth row. */
static void figure_add_table(const struct text_list *lines, const char *command,
                             struct document *document)
{
    size_t rows = 0;
    const char *first = NULL;
    for (size_t i = 0; i < lines->count; i++) {
        first = first == NULL && figure_is_row(lines->items[i]) ? lines->items[i] : first;
        rows += figure_is_row(lines->items[i]);
    }
    if (first == NULL) {
        return;
    }
    size_t step = (rows + FIGURE_ROWS_MAX - 1) / FIGURE_ROWS_MAX;
    struct table *table = document_table(document, "data");
    figure_name_columns(table, lines, figure_fields(first));
    if (step == 1) {
        table_caption(table, true, "The numbers behind it: %zu rows", rows);
    } else {
        table_caption(table, true,
                      "The numbers behind it: one in %zu of %zu rows (all of them: %s)", step, rows,
                      command);
    }
    size_t index = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (figure_is_row(lines->items[i]) && index++ % step == 0) {
            figure_add_row(table, lines->items[i]);
        }
    }
}

void report_add_figure(struct report *report, const char *directory, const char *name,
                       const char *summary, const char *command, struct document *document)
{
    char *path = text_format("%s/%s.tsv", directory, name);
    char *picture = text_format("%s/%s.svg", directory, name);
    char *bytes = NULL;
    size_t size = 0;
    struct text_list lines = {0};
    struct error error = {.message = ""};
    if (file_read(path, &bytes, &size, &error) == STATUS_OK) {
        text_split(&lines, bytes, '\n');
        const char *title = figure_title(&lines);
        document_heading(document, 3, "%s", title != NULL ? title : name);
        document_anchor(document, "r%zu-%s", report->number, name);
        char *alternative = text_format("%s: %s", title != NULL ? title : name, summary);
        document_figure(document, picture, alternative);
        figure_add_table(&lines, command, document);
        free(alternative);
    } else {
        report_lacks(report, document, "the figure %s is not here: %s", name, error.message);
    }
    text_list_free(&lines);
    free(bytes);
    free(path);
    free(picture);
}

void report_add_drawn(struct report *report, const char *directory, const char *name,
                      const char *summary, const char *command, enum status drawn,
                      const struct error *error, struct document *document)
{
    if (drawn != STATUS_OK) {
        report_lacks(report, document, "the figure %s was not drawn: %s", name, error->message);
    }
    if (drawn == STATUS_OK || drawn == STATUS_UNSUPPORTED) {
        report_add_figure(report, directory, name, summary, command, document);
    }
}
