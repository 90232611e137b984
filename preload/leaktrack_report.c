/* What libheapmill-leaktrack.so leaves behind: HEAPMILL_LEAKTRACK_DIRECTORY/PID.leaks, lines of
 * words with tabs between:
 *
 *   begin   program
 *   sample  time_ns live_blocks live_bytes
 *   site    leaked_blocks leaked_bytes live_blocks live_bytes
 *   grew    live_bytes at each sample          of the site above
 *   frame   module offset symbol               of the site above, innermost first
 *   end     judged allocations live_blocks live_bytes live_bytes_peak unbooked
 *
 * Lines are appended: a second "begin" says that the process replaced itself by another program,
 * and a "begin" without an "end" that it was ended by a signal, by _exit or by such a replacement:
 * its blocks were then judged by nobody. */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "preload/leaktrack.h"

enum { LEAKTRACK_PATH_BYTES = 4096 };

/* Opens the process's file for appending. -1: none was asked for, or it cannot be opened. It is not
 * kept open, because the program may close any descriptor. */
static int leaktrack_open_file(void)
{
    char path[LEAKTRACK_PATH_BYTES];
    const char *directory = getenv("HEAPMILL_LEAKTRACK_DIRECTORY");
    if (directory == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/%ld.leaks", directory, (long)getpid());
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

bool leaktrack_report_begin(void)
{
    char program[LEAKTRACK_PATH_BYTES];
    int file = leaktrack_open_file();
    if (file < 0) {
        return false;
    }
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program));
    (void)dprintf(file, "begin\t%.*s\n", length > 0 ? (int)length : 0, program);
    (void)close(file);
    return true;
}

/* A return address is the address after the call, which may be in the next line or function. So the
 * frame is looked up at one byte less. */
static void leaktrack_write_frame(int file, void *frame)
{
    Dl_info info = {0};
    uintptr_t address = (uintptr_t)frame - 1;
    if (dladdr((void *)address, &info) == 0 || info.dli_fname == NULL) {
        (void)dprintf(file, "frame\t?\t0x%" PRIxPTR "\t?\n", address);
        return;
    }
    (void)dprintf(file, "frame\t%s\t0x%" PRIxPTR "\t%s\n", info.dli_fname,
                  address - (uintptr_t)info.dli_fbase,
                  info.dli_sname == NULL ? "?" : info.dli_sname);
}

static void leaktrack_write_site(int file, const struct leaktrack_site *site)
{
    (void)dprintf(file, "site\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\ngrew",
                  site->leaked_blocks, site->leaked_bytes, site->live_blocks, site->live_bytes);
    for (uint32_t i = 0; i < leaktrack_books.sample_count; i++) {
        (void)dprintf(file, "\t%" PRIu64, site->samples[i]);
    }
    (void)dprintf(file, "\n");
    for (uint32_t i = 0; i < site->depth; i++) {
        leaktrack_write_frame(file, site->frames[i]);
    }
}

void leaktrack_report_end(bool judged)
{
    const struct leaktrack_books *books = &leaktrack_books;
    int file = leaktrack_open_file();
    if (file < 0) {
        return;
    }
    for (uint32_t i = 0; i < books->sample_count; i++) {
        (void)dprintf(file, "sample\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
                      books->samples[i].time_ns, books->samples[i].live_blocks,
                      books->samples[i].live_bytes);
    }
    for (uint32_t i = 0; i < books->site_count; i++) {
        if (books->sites[i].live_blocks > 0) {
            leaktrack_write_site(file, &books->sites[i]);
        }
    }
    (void)dprintf(file,
                  "end\t%d\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
                  judged, books->allocations, books->live_blocks, books->live_bytes,
                  books->live_bytes_peak, books->unbooked);
    (void)close(file);
}
