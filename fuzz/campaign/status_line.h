/* The progress line of a campaign on a terminal. Nothing is written if stderr is no terminal. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_STATUS_LINE_H
#define HEAPMILL_FUZZ_CAMPAIGN_STATUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_status_line {
    bool shown;
};

struct fuzz_status_figures {
    double elapsed_s;
    double time_s;
    double cpu_s;
    uint64_t executions;
    uint64_t operations;
    uint64_t coverage_libfuzzer; /* the most of any member; 0: there is none */
    uint64_t coverage_afl;
    uint64_t corpus;
    size_t findings;
};

void fuzz_status_line_begin(struct fuzz_status_line *line);
void fuzz_status_line_show(const struct fuzz_status_line *line,
                           const struct fuzz_status_figures *figures);
void fuzz_status_line_clear(const struct fuzz_status_line *line);

/* Prints "1234", "12.3k", "4.56M" or "7.89G", with at most four digits, into text of `size`
 * bytes. */
void fuzz_text_of_count(char *text, size_t size, double count);

#endif
