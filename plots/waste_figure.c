#include "plots/waste_figure.h"

#include <math.h>
#include <stdlib.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/palette.h"

/* The rows' labels and looks; the caller frees. */
static struct script_row *waste_rows(const struct waste_curve *of, size_t count)
{
    const char **names = text_zeroed(count, sizeof *names);
    struct palette_entry *looks = text_zeroed(count, sizeof *looks);
    struct script_row *rows = text_zeroed(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        names[i] = of[i].backend;
    }
    palette_assign(names, count, looks);
    for (size_t i = 0; i < count; i++) {
        /* All rows have the same dash, because dashed steps are hard to read. */
        rows[i] = (struct script_row){of[i].label, palette_arm("preload")->dash, looks[i].color,
                                      looks[i].marker};
    }
    free(names);
    free(looks);
    return rows;
}

/* The most bytes that any curve wastes in one block. */
static double most_wasted(const struct waste_curve *of, size_t count)
{
    double most = 0;
    for (size_t row = 0; row < count; row++) {
        for (size_t i = 0; i < of[row].count; i++) {
            most = fmax(most, of[row].usable[i] - (double)i - 1);
        }
    }
    return most;
}

/* Adds a panel for one curve: the saw teeth of several would hide each other. */
static void add_panel(struct curves *curves, const struct waste_curve *of, size_t row, double most)
{
    double wasted = 0, usable = 0;
    for (size_t i = 0; i < of->count; i++) {
        wasted += of->usable[i] - (double)i - 1;
        usable += of->usable[i];
    }
    char *title =
        text_format("%s: %.1f%% over all sizes", of->label, usable > 0 ? 100 * wasted / usable : 0);
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = "requested bytes";
    panel->y_label = "wasted bytes of a block";
    panel->steps = true;
    panel->from_zero = true;
    panel->y_end = most;
    struct curve *curve = curves_add_curve(panel, row);
    for (size_t i = 0; i < of->count; i++) {
        curves_add_point(curve, (double)i + 1, of->usable[i] - (double)i - 1);
    }
    free(title);
}

enum status waste_figure_draw(const struct image_options *options,
                              const struct waste_curve *waste_curves, size_t count,
                              const char *note, struct error *error)
{
    struct curves curves = {.panels = NULL};
    double most = most_wasted(waste_curves, count);
    for (size_t i = 0; i < count; i++) {
        add_panel(&curves, &waste_curves[i], i, most);
    }
    char *foot = text_format(
        "Usable less requested bytes, as the back end says them (malloc_usable_size of those that "
        "are a malloc). Headers outside the block, as glibc's 8 bytes, are not in it.%s%s",
        *note ? " " : "", note);
    const struct curves_words words = {
        .name = "waste",
        .title = "What size classes waste within a block",
        .better = "Lower is better: internal fragmentation of a block of each requested size. The "
                  "same axes in every panel.",
        .remark = foot,
    };
    struct script_row *rows = waste_rows(waste_curves, count);
    enum status status =
        curves_draw_rows(options, figure_find("waste"), &curves, &words, rows, count, error);
    curves_release(&curves);
    free(rows);
    free(foot);
    return status;
}
