#include <inttypes.h>
#include <string.h>

#include "results/export/export.h"

struct csv {
    const struct export_table *table;
    FILE *file;
};

/* Writes a text, quoted if it has a comma, a quote or a line end. */
static void csv_text(FILE *file, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, file);
        return;
    }
    (void)fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', file); /* a quote is written twice */
        }
        (void)fputc(*text, file);
    }
    (void)fputc('"', file);
}

static enum status csv_end_line(FILE *file, struct error *error)
{
    (void)fputc('\n', file);
    return ferror(file) == 0 ? STATUS_OK
                             : error_set(error, STATUS_IO, "the CSV could not be written");
}

static enum status csv_row(void *context, const struct export_value *values, struct error *error)
{
    const struct csv *csv = context;
    for (size_t i = 0; i < csv->table->column_count; i++) {
        (void)fputs(i > 0 ? "," : "", csv->file);
        switch (values[i].kind) {
        case EXPORT_TEXT:
            csv_text(csv->file, values[i].text);
            break;
        case EXPORT_INTEGER:
            (void)fprintf(csv->file, "%" PRId64, values[i].integer);
            break;
        case EXPORT_REAL:
            (void)fprintf(csv->file, "%.17g", values[i].real);
            break;
        case EXPORT_NONE:
            break;
        }
    }
    return csv_end_line(csv->file, error);
}

enum status export_csv(const struct export_source *source, const struct export_table *table,
                       FILE *file, struct error *error)
{
    struct csv csv = {table, file};
    for (size_t i = 0; i < table->column_count; i++) {
        (void)fprintf(file, "%s%s", i > 0 ? "," : "", table->columns[i].name);
    }
    enum status status = csv_end_line(file, error);
    return status == STATUS_OK ? table->visit(source, csv_row, &csv, error) : status;
}
