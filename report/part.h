/* What a part of the page is made of. For report/, and for story/, whose page has pictures too. */
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

/* A page as it is made. */
struct report {
    const struct report_options *options;
    struct text_list *notes;
    struct scratch scratch; /* for pictures, until the page is done */
    size_t number;  /* of the directory whose part is being made, from 1: part of its anchors */
    json_t *tables; /* for the page's script: comparisons with every base */
};

struct report_part {
    const char *kind; /* "a run of heapmill bench" */
    const char *file; /* that a directory of this kind holds; NULL: it is no directory */
    /* Is it one, beyond having the file? NULL: yes. */
    bool (*is_one)(const char *directory);
    /* Adds the part, from a heading of level 1 on. STATUS_CORRUPT, STATUS_IO, STATUS_NO_MEMORY;
     * pictures that cannot be drawn are no error but a note. */
    enum status (*add)(struct report *report, const char *directory, struct document *document,
                       struct error *error);
};

extern const struct report_part report_part_table[]; /* ends with a NULL kind */

/* The part for a directory, or NULL with STATUS_NOT_FOUND in error. */
const struct report_part *report_find_part(const char *directory, struct error *error);

/* The last part of a path. Borrowed. */
const char *report_name(const char *directory);

/* Does the directory hold a run of heapmill bench? */
bool report_is_run(const char *directory);

/* ------------------------------------------------------------------------------------ figures */

/* Where the pictures of this directory go, and how they are drawn; `output` is the caller's. */
struct image_options report_image_options(const struct report *report);

/* Adds the picture NAME.svg of a directory with its table NAME.tsv, thinned, under a heading of
 * level 3 with the anchor rN-NAME. `summary` is what it shows. A table or picture that is not there
 * is left out with a note. */
void report_add_figure(struct report *report, const char *directory, const char *name,
                       const char *summary, const char *command, struct document *document);

/* The same of a figure that has just been drawn, or else why it was not: the error that goes with
 * `drawn`. */
void report_add_drawn(struct report *report, const char *directory, const char *name,
                      const char *summary, const char *command, enum status drawn,
                      const struct error *error, struct document *document);

/* A line for the notes, for the user, and a warning in the page. */
void report_lacks(struct report *report, struct document *document, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* -------------------------------------------------------------------------------- descriptions */

/* What the opening comment of a source file says: of a workload or of a back end's source. */
struct report_description {
    const char *name;
    const char *text; /* lines, of a comment; empty lines between paragraphs */
};
extern const struct report_description report_workload_descriptions[]; /* end with NULL */
extern const struct report_description report_source_descriptions[];

/* Adds the paragraphs of the one with that name; false: there is none. */
bool report_describe(const struct report_description *descriptions, const char *name,
                     struct document *document);

/* ------------------------------------------------------------------------------------- answers */

struct comparison;

/* The metrics that the summary speaks of: the first of each pass that was measured. The count. */
enum { REPORT_METRICS_MAX = RECORD_PASS_COUNT };
size_t report_choose_metrics(const struct record_set *set,
                             const struct metric *metrics[REPORT_METRICS_MAX]);

/* Which won, by how much, how sure that is: sentences, then a ranking. comparisons[0] and on are
 * against the run's base. */
void report_add_answer(struct report *report, const struct record_set *set,
                       struct comparison *const *comparisons, size_t count,
                       struct document *document);

/* What was not measured, and what weakens the run. */
void report_add_limits(const struct record_set *set, const struct comparison *comparison,
                       struct document *document);

/* The part of two runs: the second against the first. */
enum status report_add_change(const struct record_set *before, const struct record_set *after,
                              struct document *document, struct error *error);

#endif
