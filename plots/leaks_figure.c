/* Draws detectors × kinds of leaks as a heat map, with what each detector costs beside it. */
#include "plots/leaks_figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"

struct leaks_figure_cell {
    uint64_t found;
    uint64_t planted; /* 0: not run */
    bool applicable;
};

/* A detector on a back end. */
struct leaks_figure_row {
    const char *label;
    struct leaks_figure_cell *cells; /* one a kind */
    uint64_t suspected;              /* in clean programs */
    uint64_t clean;
    double slowdown; /* 0: unknown */
};

struct leaks_figure {
    const char *const *kinds;
    size_t kind_count;
    const struct leaks_figure_row *rows;
    size_t row_count;
};

enum {
    CELL_WIDTH = 66,
    CELL_HEIGHT = 24,
    HEAD_HEIGHT = 116, /* the kinds' names, slanted */
    KEY_HEIGHT = 64,
    BARS_WIDTH = 220
};

static const char leaks_columns[] =
    "# columns: column (kinds from 1, then the clean programs), row (from 1), level (share of the "
    "planted found; 2 inapplicable; 3 share of the clean suspected, added to 3), text, slowdown "
    "(0: not of this line)\n";

static void leaks_write_line(FILE *table, size_t column, size_t row, double level, const char *text,
                             double slowdown)
{
    tsv_number(table, (double)column + 1);
    (void)fputc('\t', table);
    tsv_number(table, (double)row + 1);
    (void)fputc('\t', table);
    tsv_number(table, level);
    (void)fputc('\t', table);
    tsv_text(table, text);
    (void)fputc('\t', table);
    tsv_number(table, slowdown);
    (void)fputc('\n', table);
}

static void leaks_write_row(FILE *table, const struct leaks_figure *picture, size_t index)
{
    const struct leaks_figure_row *row = &picture->rows[index];
    for (size_t kind = 0; kind < picture->kind_count; kind++) {
        const struct leaks_figure_cell *cell = &row->cells[kind];
        if (cell->planted == 0) {
            continue;
        }
        char *text =
            text_format(cell->applicable ? "%llu/%llu" : "(%llu/%llu)",
                        (unsigned long long)cell->found, (unsigned long long)cell->planted);
        double recall = (double)cell->found / (double)cell->planted;
        leaks_write_line(table, kind, index, cell->applicable ? recall : 2, text, 0);
        free(text);
    }
    char *text = text_format("%llu/%llu", (unsigned long long)row->suspected,
                             (unsigned long long)row->clean);
    double share = row->clean == 0 ? 0 : (double)row->suspected / (double)row->clean;
    leaks_write_line(table, picture->kind_count, index, 3 + share, text, row->slowdown);
    free(text);
}

static double leaks_slowest(const struct leaks_figure *picture)
{
    double slowest = 10;
    for (size_t i = 0; i < picture->row_count; i++) {
        slowest = fmax(slowest, picture->rows[i].slowdown);
    }
    return slowest;
}

static int leaks_label_width(const struct leaks_figure *picture)
{
    size_t widest = 0;
    for (size_t i = 0; i < picture->row_count; i++) {
        size_t width = text_width(picture->rows[i].label);
        widest = width > widest ? width : widest;
    }
    return (int)widest * IMAGE_CHARACTER_WIDTH + 16;
}

static void leaks_write_script(FILE *script, const struct leaks_figure *picture, int label_width)
{
    const char **labels = calloc(picture->row_count + 1, sizeof(*labels));
    for (size_t i = 0; labels != NULL && i < picture->row_count; i++) {
        labels[i] = picture->rows[i].label;
    }
    if (labels != NULL) {
        script_strings(script, "detector_label", labels, picture->row_count);
    }
    free(labels);
    script_strings(script, "kind_label", picture->kinds, picture->kind_count);
    script_number(script, "label_width", label_width);
    script_number(script, "cell_width", CELL_WIDTH);
    script_number(script, "cell_height", CELL_HEIGHT);
    script_number(script, "head_height", HEAD_HEIGHT);
    script_number(script, "bars_width", BARS_WIDTH);
    script_number(script, "slowest", leaks_slowest(picture));
}

static enum status leaks_draw_rows(const struct image_options *options,
                                   const struct leaks_figure *picture, struct error *error)
{
    int label_width = leaks_label_width(picture);
    const struct image_frame frame = {
        .name = "leaks",
        .title = "Which detector finds which kind of leak, and what it costs",
        .head = "Found/planted; hatched, in brackets: declared invisible to that detector. Clean: "
                "programs without a leak that were suspected.",
        .foot = "Slowdown: CPU time against the bare program, the median of pairs; of whole "
                "processes for detectors from outside (lsan, memcheck, heaptrack), so that their "
                "start counts.",
        .columns = leaks_columns,
        .inner_width = label_width + ((int)picture->kind_count + 1) * CELL_WIDTH + BARS_WIDTH,
        .inner_height = HEAD_HEIGHT + (int)picture->row_count * CELL_HEIGHT + KEY_HEIGHT,
    };
    struct image image;
    enum status status = image_begin(&image, figure_find("leaks"), options, &frame, error);
    if (status == STATUS_OK) {
        leaks_write_script(image.script, picture, label_width);
        for (size_t i = 0; i < picture->row_count; i++) {
            leaks_write_row(image.table, picture, i);
        }
        status = image_finish(&image, error);
    }
    return status;
}

/* The matrix of leak detectors as a picture. */

enum { LEAKS_MATRIX_KINDS_MAX = 64, LEAKS_MATRIX_ROWS_MAX = 64 };

struct leaks_matrix {
    const char *kinds[LEAKS_MATRIX_KINDS_MAX];
    size_t kind_count;
    struct leaks_figure_row rows[LEAKS_MATRIX_ROWS_MAX];
    size_t row_count;
};

/* Collects the kinds that have planted leaks, in the order of the rows. */
static void leaks_matrix_find_kinds(struct leaks_matrix *plot, const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const char *kind = json_text_at(row, "kind", "");
        bool known = strcmp(kind, "all") == 0 || json_count_at(row, "planted", 0) == 0 ||
                     plot->kind_count == LEAKS_MATRIX_KINDS_MAX;
        for (size_t i = 0; i < plot->kind_count; i++) {
            known |= strcmp(plot->kinds[i], kind) == 0;
        }
        if (!known) {
            plot->kinds[plot->kind_count++] = kind;
        }
    }
}

static bool leaks_matrix_is_same(const json_t *row, const json_t *other)
{
    return strcmp(json_text_at(row, "detector", ""), json_text_at(other, "detector", "")) == 0 &&
           strcmp(json_text_at(row, "backend", ""), json_text_at(other, "backend", "")) == 0 &&
           json_is_true(json_object_get(row, "annotated")) ==
               json_is_true(json_object_get(other, "annotated"));
}

/* Adds a detector. all: the row of that detector and back end over all kinds. */
static void leaks_matrix_add(struct leaks_matrix *plot, const json_t *rows, const json_t *all)
{
    struct leaks_figure_row *entry = &plot->rows[plot->row_count++];
    *entry = (struct leaks_figure_row){
        .label = text_format("%s: %s%s", json_text_at(all, "backend", ""),
                             json_text_at(all, "detector", ""),
                             json_is_true(json_object_get(all, "annotated")) ? ", told" : ""),
        .cells = text_grow(NULL, plot->kind_count, sizeof(struct leaks_figure_cell)),
        .suspected = json_count_at(all, "suspected", 0),
        .clean = json_count_at(all, "clean", 0),
        .slowdown = json_number_value(json_object_get(all, "slowdown"))};
    memset(entry->cells, 0, plot->kind_count * sizeof(struct leaks_figure_cell));
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        for (size_t kind = 0; kind < plot->kind_count && leaks_matrix_is_same(row, all); kind++) {
            if (strcmp(plot->kinds[kind], json_text_at(row, "kind", "")) == 0) {
                entry->cells[kind] = (struct leaks_figure_cell){
                    .found = json_count_at(row, "found", 0),
                    .planted = json_count_at(row, "planted", 0),
                    .applicable = json_is_true(json_object_get(row, "applicable"))};
            }
        }
    }
}

/* Adds the rows of one back end; back ends come in the order of their first rows. */
static void leaks_matrix_add_backend(struct leaks_matrix *plot, const json_t *rows,
                                     const char *backend)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        bool is_one = strcmp(json_text_at(row, "kind", ""), "all") == 0 &&
                      strcmp(json_text_at(row, "detector", ""), "own together") != 0 &&
                      strcmp(json_text_at(row, "backend", ""), backend) == 0;
        if (is_one && plot->row_count < LEAKS_MATRIX_ROWS_MAX) {
            leaks_matrix_add(plot, rows, row);
        }
    }
}

enum status leaks_figure_draw(const json_t *score, const char *directory, const char *command,
                              struct error *error)
{
    const json_t *rows = json_object_get(score, "rows");
    struct leaks_matrix plot = {.kind_count = 0};
    leaks_matrix_find_kinds(&plot, rows);
    json_t *seen = json_object();
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const char *backend = json_text_at(row, "backend", "");
        if (plot.kind_count > 0 && json_object_get(seen, backend) == NULL) {
            (void)json_object_set_new(seen, backend, json_true());
            leaks_matrix_add_backend(&plot, rows, backend);
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
            : leaks_draw_rows(&options, &picture, error);
    for (size_t i = 0; i < plot.row_count; i++) {
        free((char *)plot.rows[i].label);
        free(plot.rows[i].cells);
    }
    return status;
}
