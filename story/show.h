/* How a story shows what its runs have left. Private to story/. */
#ifndef HEAPMILL_STORY_SHOW_H
#define HEAPMILL_STORY_SHOW_H

#include "report/part.h"
#include "story/figures.h"

/* "RUN/ROWS [RUN/ROWS]: CAPTION": arrays of objects as one table, those of the second beside those
 * of the first. Errors as figures_find. */
enum status show_table(const struct figures *figures, const char *asked, struct document *document,
                       struct error *error);

/* "RUN/ROWS COLUMN RUN/ROWS COLUMN": whether two columns are the same, row by row. */
enum status show_is_same(const struct figures *figures, const char *asked, bool *same,
                         struct error *error);

/* "NAME RUN/ROWS x=COLUMN y=COLUMN by=COLUMN [log_x] [log_y] [from_zero] [only=VALUE,…]: TITLE.
 * REMARK.": draws the rows as curves into DIRECTORY/NAME.svg, and adds the picture. */
enum status show_curves(const struct figures *figures, struct report *report, const char *directory,
                        const char *asked, struct document *document, struct error *error);

/* "RUN FIGURE[,FIGURE…]": the figures of a run of `heapmill bench` in DIRECTORY/RUN. */
enum status show_figures(struct report *report, const char *directory, const char *asked,
                         struct document *document, struct error *error);

#endif
