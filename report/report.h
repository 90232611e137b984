/* One page of what was measured: HTML in a single file, which needs neither a network nor its
 * scripts. The parts of a page are rows of report_part_table (report/parts.c), one a kind of
 * directory. One thread. */
#ifndef HEAPMILL_REPORT_REPORT_H
#define HEAPMILL_REPORT_REPORT_H

#include "common/host/text.h"
#include "common/status.h"

/* Strings are borrowed for the call. */
struct report_options {
    const struct text_list *directories; /* one or more */
    const char *output;                  /* the page; of an index a directory, made if absent */
    const char *command;                 /* what the user typed */
    const char *gnuplot;                 /* NULL: "gnuplot", found in PATH */
};

/* Writes the page whole or not at all. `notes` gets a sentence for each thing that the page lacks,
 * a picture say. STATUS_NOT_FOUND: a directory holds nothing that has a part; STATUS_CORRUPT: what
 * it holds is damaged; STATUS_IO, STATUS_NO_MEMORY. */
enum status report_write(const struct report_options *options, struct text_list *notes,
                         struct error *error);

/* Writes a folder of pages: NAME.html of each directory, and index.html, in which runs of
 * `heapmill bench` are a history by the time of their making, each held against the one before.
 * Errors as above; pages that were written before an error stay. */
enum status report_write_index(const struct report_options *options, struct text_list *notes,
                               struct error *error);

#endif
