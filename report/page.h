/* The frame of a page: head, style, contents, script. */
#ifndef HEAPMILL_REPORT_PAGE_H
#define HEAPMILL_REPORT_PAGE_H

#include <jansson.h>

#include "common/host/document.h"
#include "common/status.h"

extern const char report_page_css[];
extern const char report_page_js[];

/* Writes the documents as one page, whole or not at all. data is an object for the script, or NULL.
 * STATUS_IO. */
enum status report_page_write(const char *path, const char *title,
                              struct document *const *documents, size_t count, const json_t *data,
                              struct error *error);

#endif
