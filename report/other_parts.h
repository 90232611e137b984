/* Parts whose sentences and tables are made elsewhere, beside their figures. Private to report/. */
#ifndef HEAPMILL_REPORT_OTHER_PARTS_H
#define HEAPMILL_REPORT_OTHER_PARTS_H

#include "report/part.h"

bool try_part_is_one(const char *directory);
enum status try_part_add(struct report *report, const char *directory, struct document *document,
                         struct error *error);
enum status calibration_part_add(struct report *report, const char *directory,
                                 struct document *document, struct error *error);
bool trace_part_is_one(const char *path);
enum status trace_part_add(struct report *report, const char *path, struct document *document,
                           struct error *error);
enum status leaks_part_add(struct report *report, const char *directory, struct document *document,
                           struct error *error);

#endif
