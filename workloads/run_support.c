/* What the runner gives workloads with special needs: their own figures, and idle time. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "workloads/runner.h"

/* Samples of memory in an idle time: enough to see when memory is given back. */
enum { RUN_IDLE_SAMPLES = 20 };

void run_add_figure(struct run *run, const char *name, double value)
{
    size_t at = 0;
    while (at < run->figure_count && strcmp(run->figures[at].name, name) != 0) {
        at++;
    }
    if (at == RUN_FIGURES_MAX) {
        run_fail(run, "the workload tells more figures than a record has room for");
        return;
    }
    run->figures[at] = (struct run_figure){.name = name, .value = value};
    run->figure_count = at == run->figure_count ? at + 1 : run->figure_count;
}

uint64_t run_held_bytes(struct run *run)
{
    return run->sampling ? sampler_held_bytes(run->sampler, run->heap) : 0;
}

void run_garbage(struct run *run, uint64_t containers, uint64_t bytes)
{
    floating_add(run->floating, containers, bytes);
}

static void run_sleep(uint64_t ns)
{
    struct timespec left = {.tv_sec = (time_t)(ns / 1000000000u),
                            .tv_nsec = (long)(ns % 1000000000u)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

void run_idle(struct run *run, uint64_t ns)
{
    if (!run->sampling) {
        run_sleep(ns);
        return;
    }
    for (int i = 0; i < RUN_IDLE_SAMPLES; i++) {
        run_sleep(ns / RUN_IDLE_SAMPLES);
        sampler_take_now(run->sampler, run->heap);
    }
}
