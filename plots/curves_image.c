/* Curves as an image of a result directory. */
#include <stdlib.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/image.h"

enum status curves_draw(struct plot *plot, const struct figure *figure, const struct curves *curves,
                        const char *title, const char *better, struct error *error)
{
    const struct curves_words words = {
        .name = figure->name, .title = title, .better = better, .remark = ""};
    return curves_draw_words(plot, figure, curves, &words, error);
}

enum status curves_draw_words(struct plot *plot, const struct figure *figure,
                              const struct curves *curves, const struct curves_words *words,
                              struct error *error)
{
    size_t widest = 0;
    const char **names = text_zeroed(plot->row_count, sizeof *names);
    for (size_t i = 0; i < plot->row_count; i++) {
        size_t name_width = text_width(plot->rows[i].label);
        widest = name_width > widest ? name_width : widest;
        names[i] = plot->rows[i].label;
    }
    struct image_frame frame = {
        .title = words->title,
        .better = words->better,
        .remark = words->remark,
        .columns = curves_columns,
        .comparison = plot->comparison,
        .inner_width = curves_width(curves, widest),
        .inner_height = curves_height(curves, plot->row_count),
    };
    struct image image;
    enum status status = image_begin(&image, plot, figure, words->name, &frame, error);
    if (status == STATUS_OK) {
        curves_write(curves, names, image.table, image.script);
        status = image_finish(&image, error);
    }
    free(names);
    return status;
}
