#include "fuzz/campaign/status_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/host/text.h"

void fuzz_text_of_count(char *text, size_t size, double count)
{
    static const char *const suffixes[] = {"", "k", "M", "G", "T"};
    size_t step = 0;
    while (count >= 9999.5 && step + 1 < sizeof(suffixes) / sizeof(suffixes[0])) {
        count /= 1000;
        step++;
    }
    int digits = step == 0 || count >= 999.5 ? 0 : count >= 99.95 ? 1 : 2;
    (void)snprintf(text, size, "%.*f%s", digits, count, suffixes[step]);
}

void fuzz_status_line_begin(struct fuzz_status_line *line)
{
    line->shown = isatty(STDERR_FILENO) == 1;
}

/* The terminal's columns; 0: unknown. */
static size_t status_line_columns(void)
{
    struct winsize window = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

void fuzz_status_line_show(const struct fuzz_status_line *line,
                           const struct fuzz_status_figures *figures)
{
    char elapsed[32], left[32], rate[32], speed[32], executions[32];
    if (!line->shown) {
        return;
    }
    double cpu = figures->cpu_s > 0 ? figures->cpu_s : 1;
    text_of_seconds(elapsed, sizeof(elapsed), figures->elapsed_s);
    text_of_seconds(left, sizeof(left), figures->time_s);
    fuzz_text_of_count(executions, sizeof(executions), (double)figures->executions);
    fuzz_text_of_count(rate, sizeof(rate), (double)figures->executions / cpu);
    fuzz_text_of_count(speed, sizeof(speed), (double)figures->operations / cpu);
    char *coverage =
        figures->coverage_libfuzzer > 0 && figures->coverage_afl > 0
            ? text_format("%" PRIu64 "+%" PRIu64, figures->coverage_libfuzzer,
                          figures->coverage_afl)
            : text_format("%" PRIu64, figures->coverage_libfuzzer + figures->coverage_afl);
    char *text = text_format("%s of %s  %s runs, %s/cpu s, %s operations/cpu s  edges %s  corpus "
                             "%" PRIu64 "  findings %zu",
                             elapsed, left, executions, rate, speed, coverage, figures->corpus,
                             figures->findings);
    size_t columns = status_line_columns();
    int shown = columns > 1 && strlen(text) >= columns ? (int)columns - 1 : (int)strlen(text);
    (void)fprintf(stderr, "\r\033[K%.*s", shown, text);
    (void)fflush(stderr);
    free(coverage);
    free(text);
}

void fuzz_status_line_clear(const struct fuzz_status_line *line)
{
    if (line->shown) {
        (void)fputs("\r\033[K", stderr);
    }
}
