/* Heap maps, as a worker wrote them (workloads/WORKER.md), drawn as a film strip: arenas of pool
 * tiles, in each tile its blocks by state. */
#ifndef HEAPMILL_PLOTS_HEAP_FIGURE_H
#define HEAPMILL_PLOTS_HEAP_FIGURE_H

#include "plots/image.h"

/* Draws the maps in the file at path into NAME.tsv, .gp, .svg and .png. title: what ran. *frames
 * gets their number. STATUS_NOT_FOUND: there is no map in the file; STATUS_CORRUPT: it is not one;
 * else as image_finish. */
enum status heap_figure_draw(const struct image_options *options, const char *path,
                             const char *name, const char *title, size_t *frames,
                             struct error *error);

#endif
