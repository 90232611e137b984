#include "story/show.h"

#include <stdlib.h>
#include <string.h>

#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/palette.h"
#include "plots/plot.h"

enum { SHOW_SERIES_MAX = 16 };

/* An array of objects, by its name. */
static enum status show_rows(const struct figures *figures, const char *name, const json_t **rows,
                             struct error *error)
{
    enum status status = figures_find(figures, name, rows, error);
    return status == STATUS_OK && !json_is_array(*rows)
               ? error_set(error, STATUS_CORRUPT, "%s is no array of rows", name)
               : status;
}

/* The words before the first ": "; *rest is what follows it, borrowed. */
static void show_split(const char *asked, struct text_list *words, const char **rest)
{
    const char *colon = strstr(asked, ": ");
    char *head = text_format("%.*s", colon != NULL ? (int)(colon - asked) : -1, asked);
    text_split(words, head, ' ');
    *rest = colon != NULL ? colon + 2 : "";
    free(head);
}

/* ------------------------------------------------------------------------------------- tables */

/* "stack_bytes" is read as "stack bytes". The caller frees. */
static char *show_title(const char *name)
{
    char *title = text_format("%s", name);
    for (char *at = title; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    return title;
}

static void show_cell(struct table *table, size_t column, const json_t *value)
{
    double number = json_number_value(value);
    if (json_is_integer(value)) {
        table_count(table, column, number);
    } else if (json_is_number(value)) {
        table_number(table, column, "%.3g", number);
    } else {
        table_cell(table, column, "%s", json_is_string(value) ? json_string_value(value) : "");
    }
}

static void show_add_table(const json_t *rows, const char *caption, struct document *document)
{
    struct text_list names = {0};
    struct table *table = document_table(document, "story");
    const char *name;
    json_t *value;
    size_t index;
    json_t *row;
    table_caption(table, false, "%s", caption);
    json_object_foreach(json_array_get(rows, 0), name, value)
    {
        char *title = show_title(name);
        text_list_add(&names, text_format("%s", name));
        (void)table_column(table, NULL, title, json_is_number(value) ? TABLE_RIGHT : TABLE_LEFT);
        free(title);
    }
    json_array_foreach(rows, index, row)
    {
        table_row(table);
        for (size_t column = 0; column < names.count; column++) {
            show_cell(table, column, json_object_get(row, names.items[column]));
        }
    }
    text_list_free(&names);
}

enum status show_table(const struct figures *figures, const char *asked, struct document *document,
                       struct error *error)
{
    struct text_list words = {0};
    const char *caption;
    const json_t *rows = NULL;
    const json_t *beside = NULL;
    show_split(asked, &words, &caption);
    enum status status = show_rows(figures, words.items[0], &rows, error);
    json_t *all = status == STATUS_OK ? json_deep_copy(rows) : NULL;
    /* Where there is nothing to stand beside it the first is shown alone. */
    if (status == STATUS_OK && words.count > 1) {
        status = show_rows(figures, words.items[1], &beside, error);
        for (size_t i = 0; status == STATUS_OK && i < json_array_size(all); i++) {
            (void)json_object_update(json_array_get(all, i), json_array_get(beside, i));
        }
        status = status == STATUS_UNSUPPORTED ? STATUS_OK : status;
    }
    if (status == STATUS_OK) {
        show_add_table(all, caption, document);
    }
    json_decref(all);
    text_list_free(&words);
    return status;
}

enum status show_is_same(const struct figures *figures, const char *asked, bool *same,
                         struct error *error)
{
    struct text_list words = {0};
    const json_t *rows[2] = {NULL, NULL};
    text_split(&words, asked, ' ');
    enum status status =
        words.count == 4 ? STATUS_OK
                         : error_set(error, STATUS_CORRUPT, "same wants ROWS COLUMN ROWS COLUMN");
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        status = show_rows(figures, words.items[2 * i], &rows[i], error);
    }
    *same = status == STATUS_OK && json_array_size(rows[0]) > 0 &&
            json_array_size(rows[0]) == json_array_size(rows[1]);
    for (size_t i = 0; *same && i < json_array_size(rows[0]); i++) {
        const json_t *left = json_array_get(rows[0], i);
        const json_t *right = json_array_get(rows[1], i);
        const json_t *value = json_object_get(left, words.items[1]);
        *same = value != NULL && json_equal(value, json_object_get(right, words.items[3])) &&
                json_equal(json_object_get(left, "step"), json_object_get(right, "step"));
    }
    text_list_free(&words);
    return status;
}

/* ------------------------------------------------------------------------------------- curves */

/* What is to be drawn. Borrowed from words. */
struct show_series {
    const char *x;
    const char *y;
    const char *by;
    struct curves_panel *panel;
    const char *names[SHOW_SERIES_MAX];
    size_t count;
};

/* "x=COLUMN" and the like. */
static void show_option(struct show_series *series, const char *word)
{
    series->x = strncmp(word, "x=", 2) == 0 ? word + 2 : series->x;
    series->y = strncmp(word, "y=", 2) == 0 ? word + 2 : series->y;
    series->by = strncmp(word, "by=", 3) == 0 ? word + 3 : series->by;
    series->panel->log_x = series->panel->log_x || strcmp(word, "log_x") == 0;
    series->panel->log_y = series->panel->log_y || strcmp(word, "log_y") == 0;
    series->panel->from_zero = series->panel->from_zero || strcmp(word, "from_zero") == 0;
}

static size_t show_series_of(struct show_series *series, const char *name)
{
    size_t i = 0;
    while (i < series->count && strcmp(series->names[i], name) != 0) {
        i++;
    }
    if (i == series->count && series->count < SHOW_SERIES_MAX) {
        series->names[series->count++] = name;
    }
    return i;
}

static void show_add_points(struct show_series *series, const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const char *name = json_string_value(json_object_get(row, series->by));
        size_t at = show_series_of(series, name != NULL ? name : "?");
        if (at < SHOW_SERIES_MAX) {
            curves_add_point(curves_add_curve(series->panel, at),
                             json_number_value(json_object_get(row, series->x)),
                             json_number_value(json_object_get(row, series->y)));
        }
    }
}

/* Collectors borrow the looks of back ends, as in all figures. */
static void show_looks(const struct show_series *series, struct script_row *rows)
{
    const char *names[SHOW_SERIES_MAX];
    struct palette_entry entries[SHOW_SERIES_MAX];
    for (size_t i = 0; i < series->count; i++) {
        const char *borrowed = palette_collector(series->names[i]);
        names[i] = borrowed != NULL ? borrowed : series->names[i];
    }
    palette_assign(names, series->count, entries);
    for (size_t i = 0; i < series->count; i++) {
        rows[i] = (struct script_row){.label = series->names[i],
                                      .dash = "1",
                                      .color = entries[i].color,
                                      .marker = entries[i].marker};
    }
}

static enum status show_draw(struct show_series *series, struct curves *curves,
                             const struct image_options *options, const struct curves_words *words,
                             struct error *error)
{
    struct script_row rows[SHOW_SERIES_MAX];
    char *labels[2] = {show_title(series->x), show_title(series->y)};
    series->panel->x_label = labels[0];
    series->panel->y_label = labels[1];
    show_looks(series, rows);
    enum status status =
        curves_draw_rows(options, figure_find("story"), curves, words, rows, series->count, error);
    free(labels[0]);
    free(labels[1]);
    return status;
}

/* What the picture shows, for who does not see it. The caller frees. */
static char *show_summary(const struct show_series *series)
{
    struct text_list names = {0};
    for (size_t i = 0; i < series->count; i++) {
        text_list_add(&names, text_format("%s", series->names[i]));
    }
    char *x = show_title(series->x);
    char *y = show_title(series->y);
    char *curves = text_join(&names, ", ");
    char *summary = text_format("%s over %s, a curve each for %s", y, x, curves);
    free(x);
    free(y);
    free(curves);
    text_list_free(&names);
    return summary;
}

enum status show_curves(const struct figures *figures, struct report *report, const char *directory,
                        const char *asked, struct document *document, struct error *error)
{
    struct text_list words = {0};
    struct curves curves = {.panels = NULL};
    const json_t *rows = NULL;
    const char *title;
    show_split(asked, &words, &title);
    enum status status = words.count > 4
                             ? show_rows(figures, words.items[1], &rows, error)
                             : error_set(error, STATUS_CORRUPT, "curves wants NAME ROWS x= y= by=");
    if (status == STATUS_OK) {
        struct show_series series = {.x = "", .y = "", .by = ""};
        series.panel = curves_add_panel(&curves, "");
        for (size_t i = 2; i < words.count; i++) {
            show_option(&series, words.items[i]);
        }
        show_add_points(&series, rows);
        struct image_options options = report_image_options(report);
        struct error drawn = {.message = ""};
        const struct curves_words around = {
            .name = words.items[0], .title = title, .better = "", .remark = ""};
        options.output = directory;
        enum status drew = show_draw(&series, &curves, &options, &around, &drawn);
        char *summary = show_summary(&series);
        report_add_drawn(report, directory, words.items[0], summary, report->options->command, drew,
                         &drawn, document);
        free(summary);
    }
    curves_release(&curves);
    text_list_free(&words);
    return status;
}

/* ---------------------------------------------------------------------------- figures of a run */

enum status show_figures(struct report *report, const char *directory, const char *asked,
                         struct document *document, struct error *error)
{
    struct text_list words = {0};
    text_split(&words, asked, ' ');
    if (words.count < 2) {
        text_list_free(&words);
        return error_set(error, STATUS_CORRUPT, "figures wants RUN FIGURE");
    }
    struct image_options images = report_image_options(report);
    char *input = text_format("%s/%s", directory, words.items[0]);
    char *command = text_format("heapmill plot %s --figure %s", words.items[0], words.items[1]);
    const struct plot_options options = {.input = input,
                                         .figures = words.items[1],
                                         .metric = words.count > 2 ? words.items[2] : NULL,
                                         .command = command,
                                         .formats = images.formats,
                                         .gnuplot = images.gnuplot};
    struct plot_report drawn = {.output = NULL};
    enum status status = plot_draw(&options, &drawn, error);
    for (size_t i = 0; i < drawn.image_count; i++) {
        const struct plot_image *image = &drawn.images[i];
        report_add_figure(report, drawn.output, image->name, figure_find(image->figure)->summary,
                          command, document);
    }
    if (status != STATUS_OK) {
        report_lacks(report, document, "%s: %s", command, error->message);
        status = STATUS_OK;
    }
    plot_report_free(&drawn);
    free(command);
    free(input);
    text_list_free(&words);
    return status;
}
