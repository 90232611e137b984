/* Reads reports of leak detectors from outside: LeakSanitizer's text, valgrind's XML (memcheck,
 * --leak-check=full --xml=yes) and heaptrack_print's text. All get the same form, so that they can
 * be compared with the truth. */
#ifndef HEAPMILL_LEAKS_REPORTS_H
#define HEAPMILL_LEAKS_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

/* One entry of a report: blocks that one place asked for. */
struct leaks_report_entry {
    uint64_t blocks;
    uint64_t bytes;             /* heaptrack rounds them to three digits */
    bool indirect;              /* only other lost blocks point at them */
    bool possible;              /* memcheck: there are only pointers into their middle */
    struct text_list functions; /* innermost first; "?" if the detector does not know the name */
    struct text_list places;    /* "FILE:LINE" of the frames that have it, innermost first */
};

struct leaks_report {
    struct leaks_report_entry *entries;
    size_t count;
};

enum leaks_report_format {
    LEAKS_REPORT_LSAN,
    LEAKS_REPORT_MEMCHECK,  /* without blocks that can still be reached */
    LEAKS_REPORT_HEAPTRACK, /* heaptrack_print -l 1 -n 100000 -s 100000 */
};

/* Parses a report. STATUS_OK: the caller calls leaks_report_free; the report is empty if text says
 * that nothing leaked. STATUS_INVALID: text is no report of that kind, or is incomplete, so it
 * proves nothing. LeakSanitizer's text for "no leaks" is empty; the caller knows the exit
 * status. */
enum status leaks_report_parse(enum leaks_report_format format, const char *text,
                               struct leaks_report *report, struct error *error);
void leaks_report_free(struct leaks_report *report);

/* Counts the blocks of entries that contain this function; of all entries if function is NULL.
 * Possible leaks count if with_possible. */
uint64_t leaks_report_blocks(const struct leaks_report *report, const char *function,
                             bool with_possible);

#endif
