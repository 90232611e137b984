/* The interface of a page's parts, for report/ and for story/, whose page has pictures too. */
#ifndef HEAPMILL_REPORT_PART_H
#define HEAPMILL_REPORT_PART_H

#include <jansson.h>
#include <stdbool.h>

#include "common/host/document.h"
#include "common/host/scratch.h"
#include "plots/image.h"
#include "report/report.h"
#include "results/metrics.h"
#include "results/record.h"

/* A page that is being made. */
struct report {
    const struct report_options *options;
    struct text_list *notes;
    struct scratch scratch; /* holds pictures until the page is written */
    size_t number;          /* of the current part's directory, from 1; its anchors contain it */
    json_t *tables;         /* for the page's script: comparisons with every base */
};

struct report_part {
    const char *kind; /* "a run of heapmill bench" */
    const char *file; /* in every directory of this kind; NULL: it is no directory */
    /* Is the directory of this kind, given that it has the file? NULL: yes. */
    bool (*is_one)(const char *directory);
    /* Adds the part, which begins with a heading of level 1. STATUS_CORRUPT, STATUS_IO,
     * STATUS_NO_MEMORY; a picture that cannot be drawn is a note and no error. */
    enum status (*add)(struct report *report, const char *directory, struct document *document,
                       struct error *error);
};

extern const struct report_part report_part_table[]; /* the last row has a NULL kind */

/* The part for a directory; NULL, with STATUS_NOT_FOUND in error, if there is none. */
const struct report_part *report_find_part(const char *directory, struct error *error);

/* The last component of a path. Borrowed. */
const char *report_name(const char *directory);

/* Does the directory hold a run of heapmill bench? */
bool report_is_run(const char *directory);

/* ------------------------------------------------------------------------------------ figures */

/* Where this directory's pictures go, and how they are drawn. The caller frees `output`. */
struct image_options report_image_options(const struct report *report);

/* Adds the picture NAME.svg of a directory with its table NAME.tsv, thinned, under a heading of
 * level 3 with the anchor rN-NAME. `summary` says what it shows. If the table or the picture is
 * missing, a note says so. */
void report_add_figure(struct report *report, const char *directory, const char *name,
                       const char *summary, const char *command, struct document *document);

/* The same of a figure that has just been drawn, or else why it was not: the error that goes with
 * `drawn`. */
void report_add_drawn(struct report *report, const char *directory, const char *name,
                      const char *summary, const char *command, enum status drawn,
                      const struct error *error, struct document *document);

/* Adds a line to the user's notes, and a warning to the page. */
void report_lacks(struct report *report, struct document *document, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* -------------------------------------------------------------------------------- descriptions */

/* The opening comment of a source file, of a workload or of a back end's source. */
struct report_description {
    const char *name;
    const char *text; /* lines of the comment, with empty lines between paragraphs */
};
extern const struct report_description report_workload_descriptions[]; /* end with NULL */
extern const struct report_description report_source_descriptions[];

/* Adds the paragraphs of the description with that name. false: there is none. */
bool report_describe(const struct report_description *descriptions, const char *name,
                     struct document *document);

/* ------------------------------------------------------------------------------------- answers */

struct comparison;

/* The metrics of the summary: the first of each pass that was measured. Returns their number. */
enum { REPORT_METRICS_MAX = RECORD_PASS_COUNT };
size_t report_choose_metrics(const struct record_set *set,
                             const struct metric *metrics[REPORT_METRICS_MAX]);

/* Adds sentences (which back end won, by how much, how certain that is), then a ranking. All
 * comparisons are with the run's base. */
void report_add_answer(struct report *report, const struct record_set *set,
                       struct comparison *const *comparisons, size_t count,
                       struct document *document);

/* Adds what was not measured, and what weakens the run. */
void report_add_limits(const struct record_set *set, const struct comparison *comparison,
                       struct document *document);

/* Adds the comparison of two runs: the second against the first. */
enum status report_add_change(const struct record_set *before, const struct record_set *after,
                              struct document *document, struct error *error);

#endif
