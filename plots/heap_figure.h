/* Draws heap maps that a worker wrote (workloads/WORKER.md) as a film strip: arenas of pool tiles,
 * with the state of the blocks in each tile. */
#ifndef HEAPMILL_PLOTS_HEAP_FIGURE_H
#define HEAPMILL_PLOTS_HEAP_FIGURE_H

#include "plots/image.h"

/* Draws the maps of the file at path into NAME.tsv, .gp, .svg and .png. title: what ran. *frames
 * gets the number of maps. STATUS_NOT_FOUND: the file has no map; STATUS_CORRUPT: it is not a map
 * file; other errors as image_finish. */
enum status heap_figure_draw(const struct image_options *options, const char *path,
                             const char *name, const char *title, size_t *frames,
                             struct error *error);

#endif
