/* Reads the file that libheapmill-leaktrack.so wrote about one process (preload/leaktrack_report.c
 * describes it), and names the places in it. */
#ifndef HEAPMILL_LEAKS_LEAKTRACK_FILE_H
#define HEAPMILL_LEAKS_LEAKTRACK_FILE_H

#include <jansson.h>

#include "common/status.h"

/* The process as a JSON object, which the caller releases:
 *   program      the path of the (last) program that it ran
 *   ended        did it end by exit, so that its blocks were judged? Without it, only `program`
 *                and `replaced` are there
 *   replaced     did it replace itself by another program (exec)?
 *   judged       could its address space be read?
 *   allocations, live_blocks, live_bytes, live_bytes_peak, unbooked, leaked_blocks, leaked_bytes
 *   samples      [[seconds, live_blocks, live_bytes], …]
 *   sites        [{leaked_blocks, leaked_bytes, live_blocks, live_bytes, grows,
 *                  frames: [{module, offset, symbol}, …]}, …], the most leaked bytes first;
 *                grows: its live bytes rose from each quarter of the run to the next
 * NULL, with error, when the file is not there (STATUS_IO) or not such a file (STATUS_INVALID). */
json_t *leaktrack_file_read(const char *path, struct error *error);

/* The frame as text: "function at file:line" if addr2line knows it, otherwise "symbol
 * (module+offset)". program replaces a module that is not an absolute path. The caller frees. This
 * starts a process, so call process_prepare_signals first. */
char *leaktrack_frame_text(const json_t *frame, const char *program);

#endif
