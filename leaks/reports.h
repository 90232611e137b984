/* Reads what leak detectors from outside say: LeakSanitizer's text, valgrind's XML (memcheck,
 * --leak-check=full --xml=yes) and heaptrack_print's text. One form for all, so that they can be
 * held against a truth. */
#ifndef HEAPMILL_LEAKS_REPORTS_H
#define HEAPMILL_LEAKS_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

/* One entry of a report: blocks that were asked for at one place. */
struct leaks_report_entry {
    uint64_t blocks;
    uint64_t bytes;             /* heaptrack rounds them to three digits */
    bool indirect;              /* only other lost blocks point at these */
    bool possible;              /* memcheck: only pointers into the middle of them were found */
    struct text_list functions; /* innermost first; "?" where the detector has no name */
    struct text_list places;    /* "FILE:LINE", innermost first, of the frames that have them */
};

struct leaks_report {
    struct leaks_report_entry *entries;
    size_t count;
};

enum leaks_report_format {
    LEAKS_REPORT_LSAN,
    LEAKS_REPORT_MEMCHECK,  /* blocks that can still be reached are left out */
    LEAKS_REPORT_HEAPTRACK, /* heaptrack_print -l 1 -n 100000 -s 100000 */
};

/* STATUS_OK: report is to be released by leaks_report_free, and is empty if text says that nothing
 * leaked. STATUS_INVALID: this is no report of that kind, or it was cut short, so nothing can be
 * said. An empty text is LeakSanitizer's for "no leaks": the caller knows the exit status. */
enum status leaks_report_parse(enum leaks_report_format format, const char *text,
                               struct leaks_report *report, struct error *error);
void leaks_report_free(struct leaks_report *report);

/* The blocks of entries that have a function so named; of all entries when function is NULL.
 * Possible ones count if with_possible. */
uint64_t leaks_report_blocks(const struct leaks_report *report, const char *function,
                             bool with_possible);

#endif
