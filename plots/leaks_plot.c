/* The picture of a matrix of leak detectors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/gnuplot_runner.h"
#include "plots/leaks_figure.h"
#include "plots/leaks_plot.h"

enum { LEAKS_PLOT_KINDS_MAX = 64, LEAKS_PLOT_ROWS_MAX = 64 };

struct leaks_plot {
    const char *kinds[LEAKS_PLOT_KINDS_MAX];
    size_t kind_count;
    struct leaks_figure_row rows[LEAKS_PLOT_ROWS_MAX];
    size_t row_count;
};

static const char *leaks_plot_text(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text == NULL ? "" : text;
}

static uint64_t leaks_plot_count(const json_t *row, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(row, name));
}

/* The kinds that anything was planted of, in the order of the rows. */
static void leaks_plot_find_kinds(struct leaks_plot *plot, const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const char *kind = leaks_plot_text(row, "kind");
        bool known = strcmp(kind, "all") == 0 || leaks_plot_count(row, "planted") == 0 ||
                     plot->kind_count == LEAKS_PLOT_KINDS_MAX;
        for (size_t i = 0; i < plot->kind_count; i++) {
            known |= strcmp(plot->kinds[i], kind) == 0;
        }
        if (!known) {
            plot->kinds[plot->kind_count++] = kind;
        }
    }
}

static bool leaks_plot_is_same(const json_t *row, const json_t *other)
{
    return strcmp(leaks_plot_text(row, "detector"), leaks_plot_text(other, "detector")) == 0 &&
           strcmp(leaks_plot_text(row, "backend"), leaks_plot_text(other, "backend")) == 0 &&
           json_is_true(json_object_get(row, "annotated")) ==
               json_is_true(json_object_get(other, "annotated"));
}

/* all: the row of that detector and back end over all kinds. */
static void leaks_plot_add(struct leaks_plot *plot, const json_t *rows, const json_t *all)
{
    struct leaks_figure_row *entry = &plot->rows[plot->row_count++];
    *entry = (struct leaks_figure_row){
        .label = text_format("%s: %s%s", leaks_plot_text(all, "backend"),
                             leaks_plot_text(all, "detector"),
                             json_is_true(json_object_get(all, "annotated")) ? ", told" : ""),
        .cells = text_grow(NULL, plot->kind_count, sizeof(struct leaks_figure_cell)),
        .suspected = leaks_plot_count(all, "suspected"),
        .clean = leaks_plot_count(all, "clean"),
        .slowdown = json_number_value(json_object_get(all, "slowdown"))};
    memset(entry->cells, 0, plot->kind_count * sizeof(struct leaks_figure_cell));
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        for (size_t kind = 0; kind < plot->kind_count && leaks_plot_is_same(row, all); kind++) {
            if (strcmp(plot->kinds[kind], leaks_plot_text(row, "kind")) == 0) {
                entry->cells[kind] = (struct leaks_figure_cell){
                    .found = leaks_plot_count(row, "found"),
                    .planted = leaks_plot_count(row, "planted"),
                    .applicable = json_is_true(json_object_get(row, "applicable"))};
            }
        }
    }
}

/* Those of a back end side by side, in the order in which back ends first appear. */
static void leaks_plot_add_backend(struct leaks_plot *plot, const json_t *rows, const char *backend)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        bool is_one = strcmp(leaks_plot_text(row, "kind"), "all") == 0 &&
                      strcmp(leaks_plot_text(row, "detector"), "own together") != 0 &&
                      strcmp(leaks_plot_text(row, "backend"), backend) == 0;
        if (is_one && plot->row_count < LEAKS_PLOT_ROWS_MAX) {
            leaks_plot_add(plot, rows, row);
        }
    }
}

enum status leaks_plot(const json_t *score, const char *directory, const char *command,
                       struct error *error)
{
    const json_t *rows = json_object_get(score, "rows");
    struct leaks_plot plot = {.kind_count = 0};
    leaks_plot_find_kinds(&plot, rows);
    json_t *seen = json_object();
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const char *backend = leaks_plot_text(row, "backend");
        if (plot.kind_count > 0 && json_object_get(seen, backend) == NULL) {
            (void)json_object_set_new(seen, backend, json_true());
            leaks_plot_add_backend(&plot, rows, backend);
        }
    }
    json_decref(seen);
    struct image_options options = {
        .output = directory, .command = command, .formats = PICTURE_SVG | PICTURE_PNG};
    struct leaks_figure picture = {.kinds = plot.kinds,
                                   .kind_count = plot.kind_count,
                                   .rows = plot.rows,
                                   .row_count = plot.row_count};
    enum status status =
        plot.row_count == 0
            ? error_set(error, STATUS_INVALID, "--plot: nothing was planted, nothing to draw")
            : leaks_figure_draw(&options, &picture, error);
    for (size_t i = 0; i < plot.row_count; i++) {
        free((char *)plot.rows[i].label);
        free(plot.rows[i].cells);
    }
    return status;
}
