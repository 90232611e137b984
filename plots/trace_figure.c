#include "plots/trace_figure.h"

#include <stdlib.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/palette.h"

static struct curve *add_panel(struct curves *curves, const char *title, const char *x_label,
                               const char *y_label)
{
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = x_label;
    panel->y_label = y_label;
    panel->from_zero = true;
    return curves_add_curve(panel, 0);
}

static void add_live(struct curves *curves, const json_t *info)
{
    struct curve *curve = add_panel(curves, "live bytes", "events", "MiB");
    size_t index;
    json_t *point;
    json_array_foreach(json_object_get(info, "curve"), index, point)
    {
        curves_add_point(curve, json_number_value(json_array_get(point, 0)),
                         json_number_value(json_array_get(point, 1)) / (1 << 20));
    }
}

/* The part that has at most each value, of rows {to, share}; to null: never. */
static void add_distribution(struct curves *curves, const json_t *rows, const char *title,
                             const char *x_label, const char *y_label)
{
    struct curve *curve = add_panel(curves, title, x_label, y_label);
    struct curves_panel *panel = &curves->panels[curves->count - 1];
    double percent = 0;
    size_t index;
    json_t *row;
    panel->log_x = true;
    panel->y_end = 100;
    json_array_foreach(rows, index, row)
    {
        if (json_is_number(json_object_get(row, "to"))) {
            percent += 100 * json_number_at(row, "share", 0);
            curves_add_point(curve, json_number_at(row, "to", 1), percent);
        }
    }
}

enum status trace_figure_draw(const struct image_options *options, const json_t *info,
                              struct error *error)
{
    struct curves curves = {.panels = NULL};
    const struct script_row row = {"the trace", palette_arm("preload")->dash,
                                   palette_known(0)->color, palette_known(0)->marker};
    add_live(&curves, info);
    add_distribution(&curves, json_object_get(info, "sizes"), "sizes", "bytes",
                     "% of takes up to that size");
    add_distribution(&curves, json_object_get(info, "lifetimes"), "lifetimes",
                     "takes between birth and death", "% of blocks that lived no longer");
    add_distribution(&curves, json_object_get(info, "reuse"), "reuse",
                     "takes since one of that size was given back", "% of takes");
    char *title = text_format("What %s asked for", json_text_at(info, "file", "the program"));
    const struct curves_words words = {
        .name = "trace",
        .title = title,
        .better = "Neither high nor low is better: this is a program, not an allocator.",
        .remark =
            "Live bytes are the largest of each hundredth of the events. Sizes of one step of "
            "16 bytes count as one where reuse is concerned; takes of a size that nobody had "
            "given back are missing to 100%.",
    };
    enum status status =
        curves_draw_rows(options, figure_find("trace"), &curves, &words, &row, 1, error);
    curves_release(&curves);
    free(title);
    return status;
}
