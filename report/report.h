/* Writes a page about what was measured: a single HTML file, which needs no network and works
 * without its scripts. The parts of a page are rows of report_part_table (report/parts.c), one for
 * each kind of directory. One thread. */
#ifndef HEAPMILL_REPORT_REPORT_H
#define HEAPMILL_REPORT_REPORT_H

#include "common/host/text.h"
#include "common/status.h"

/* Strings are borrowed during the call. */
struct report_options {
    const struct text_list *directories; /* at least one */
    const char *output;                  /* the page; for an index a directory, made if absent */
    const char *command;                 /* the user's command line */
    const char *gnuplot;                 /* NULL: "gnuplot" from PATH */
};

/* Writes the page whole or not at all. `notes` gets a sentence for each thing that the page lacks,
 * such as a picture. STATUS_NOT_FOUND: no part fits one of the directories; STATUS_CORRUPT: a
 * directory's data is damaged; STATUS_IO, STATUS_NO_MEMORY. */
enum status report_write(const struct report_options *options, struct text_list *notes,
                         struct error *error);

/* Writes a folder of pages: NAME.html for each directory, and index.html, which shows runs of
 * `heapmill bench` as a history: each is compared with the run that was made before it. Errors as
 * above; pages that were written before an error stay. */
enum status report_write_index(const struct report_options *options, struct text_list *notes,
                               struct error *error);

#endif
