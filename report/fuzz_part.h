/* The parts for fuzzing, and their figures, which `heapmill fuzz plot` draws too. */
#ifndef HEAPMILL_REPORT_FUZZ_PART_H
#define HEAPMILL_REPORT_FUZZ_PART_H

#include "plots/image.h"
#include "report/part.h"

enum status campaign_part_add(struct report *report, const char *directory,
                              struct document *document, struct error *error);
enum status score_part_add(struct report *report, const char *directory, struct document *document,
                           struct error *error);

/* Draws the figures of a campaign or a score. names gets the figures that have a table and a
 * script. STATUS_NOT_FOUND: the directory has neither a campaign nor a score; STATUS_UNSUPPORTED:
 * there is no gnuplot; STATUS_CORRUPT, STATUS_IO. */
enum status fuzz_part_draw(const char *directory, const struct image_options *options,
                           struct text_list *names, struct error *error);

#endif
