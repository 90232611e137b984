#include "run/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/document.h"
#include "common/host/text.h"

enum {
    PROGRESS_WIDTH_MAX = 250,
    PROGRESS_TRUSTED = 8, /* processes after which their own mean replaces the plan's estimate */
};

void progress_begin(struct progress *progress, size_t total, size_t done, double process_s,
                    double budget_s)
{
    *progress = (struct progress){
        .shown = isatty(STDERR_FILENO) == 1,
        .colour = document_look_of(stderr).colour,
        .total = total,
        .done = done,
        .begin_ns = clock_wall_ns(),
        .process_s = process_s,
        .deadline_s = budget_s,
    };
}

static double progress_elapsed_s(const struct progress *progress)
{
    return (double)(clock_wall_ns() - progress->begin_ns) / 1e9;
}

static double progress_left_s(const struct progress *progress)
{
    double elapsed = progress_elapsed_s(progress);
    if (progress->total == 0) {
        return progress->deadline_s - elapsed;
    }
    double each = progress->measured >= PROGRESS_TRUSTED ? elapsed / (double)progress->measured
                                                         : progress->process_s;
    return each * (double)(progress->total - progress->done);
}

static double progress_percent(const struct progress *progress)
{
    double share = progress->total > 0 ? (double)progress->done / (double)progress->total
                                       : progress_elapsed_s(progress) / progress->deadline_s;
    return 100 * (share < 1 ? share : 1);
}

static int progress_width(void)
{
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 80;
    }
    return size.ws_col < PROGRESS_WIDTH_MAX ? size.ws_col : PROGRESS_WIDTH_MAX;
}

void progress_show(const struct progress *progress, const char *what, const char *cell)
{
    if (!progress->shown) {
        return;
    }
    char left[32];
    char line[PROGRESS_WIDTH_MAX + 1];
    text_of_seconds(left, sizeof(left), progress_left_s(progress));
    int width = progress_width() - 1; /* some terminals wrap at the last column */
    (void)snprintf(line, (size_t)width + 1, "%3.0f%%  %s left  %s  %s", progress_percent(progress),
                   left, what, cell);
    const char *bold = progress->colour ? "\033[1m" : "";
    const char *plain = progress->colour ? "\033[0m" : "";
    (void)fprintf(stderr, "\r\033[K%s%.4s%s%s", bold, line, plain, line + strnlen(line, 4));
    (void)fflush(stderr);
}

void progress_step(struct progress *progress)
{
    progress->done++;
    progress->measured++;
}

void progress_clear(const struct progress *progress)
{
    if (progress->shown) {
        (void)fputs("\r\033[K", stderr);
    }
}
