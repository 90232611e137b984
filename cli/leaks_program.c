#include "cli/leaks_program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "leaks/leaktrack_file.h"
#include "leaks/tracked.h"

enum {
    LEAKS_SITES_SHOWN = 10,
    LEAKS_FRAMES_SHOWN = 6,
};

static void leaks_print_site(const json_t *site, const char *program)
{
    uint64_t leaked = json_count_at(site, "leaked_blocks", 0);
    if (leaked > 0) {
        (void)printf("\n  %lld bytes in %lld block%s lost, asked for by\n",
                     (long long)json_count_at(site, "leaked_bytes", 0), (long long)leaked,
                     leaked == 1 ? "" : "s");
    } else {
        (void)printf("\n  %lld bytes in %lld blocks are still pointed at, but grew all the time\n",
                     (long long)json_count_at(site, "live_bytes", 0),
                     (long long)json_count_at(site, "live_blocks", 0));
    }
    size_t i;
    const json_t *frame;
    json_array_foreach(json_object_get(site, "frames"), i, frame)
    {
        if (i < LEAKS_FRAMES_SHOWN) {
            char *text = leaktrack_frame_text(frame, program);
            (void)printf("    %s\n", text);
            free(text);
        }
    }
}

/* Prints the largest sites: first those that lost blocks, then those that only grew. */
static void leaks_print_sites(const json_t *process)
{
    const char *program = json_string_value(json_object_get(process, "program"));
    size_t i, shown = 0, hidden = 0;
    const json_t *site;
    json_array_foreach(json_object_get(process, "sites"), i, site)
    {
        if (json_count_at(site, "leaked_blocks", 0) > 0 ||
            json_is_true(json_object_get(site, "grows"))) {
            if (shown < LEAKS_SITES_SHOWN) {
                leaks_print_site(site, program);
                shown++;
            } else {
                hidden++;
            }
        }
    }
    if (hidden > 0) {
        (void)printf("\n  and %zu further sites: --json has them all\n", hidden);
    }
}

static void leaks_print_growth(const json_t *process)
{
    const json_t *samples = json_object_get(process, "samples");
    size_t count = json_array_size(samples);
    if (count < 2) {
        return;
    }
    (void)printf("  live bytes over time:");
    for (size_t quarter = 0; quarter <= 4; quarter++) {
        const json_t *sample = json_array_get(samples, (count - 1) * quarter / 4);
        (void)printf("%s %lld at %.3f s", quarter == 0 ? "" : ",",
                     (long long)json_integer_value(json_array_get(sample, 2)),
                     json_number_value(json_array_get(sample, 0)));
    }
    (void)printf("\n");
}

static void leaks_print_process(const json_t *process)
{
    (void)printf("\n%s (process %lld)\n", json_string_value(json_object_get(process, "program")),
                 (long long)json_count_at(process, "pid", 0));
    if (!json_is_true(json_object_get(process, "ended"))) {
        (void)printf("  not judged: it ended without exit (by a signal, by _exit, or replaced by a "
                     "program that cannot be tracked)\n");
        return;
    }
    if (!json_is_true(json_object_get(process, "judged"))) {
        (void)printf("  not judged: its memory could not be read (/proc, or out of memory)\n");
    }
    if (json_is_true(json_object_get(process, "replaced"))) {
        (void)printf(
            "  (it replaced itself by exec: what was there before was judged by nobody)\n");
    }
    (void)printf("  %lld allocations; at exit %lld bytes in %lld blocks were live, of which %lld "
                 "bytes in %lld blocks are lost\n",
                 (long long)json_count_at(process, "allocations", 0),
                 (long long)json_count_at(process, "live_bytes", 0),
                 (long long)json_count_at(process, "live_blocks", 0),
                 (long long)json_count_at(process, "leaked_bytes", 0),
                 (long long)json_count_at(process, "leaked_blocks", 0));
    leaks_print_growth(process);
    leaks_print_sites(process);
}

static uint64_t leaks_total(const struct leaks_tracked *run, const char *name)
{
    uint64_t sum = 0;
    size_t i;
    const json_t *process;
    json_array_foreach(run->processes, i, process)
    {
        sum += json_count_at(process, name, 0);
    }
    return sum;
}

static void leaks_print(const struct leaks_tracked *run, bool judged, bool json)
{
    if (json) {
        json_t *answer = json_pack("{s:b,s:i,s:i,s:I,s:I,s:O}", "judged", judged, "exit_code",
                                   run->exit_code, "signal", run->signal, "leaked_blocks",
                                   leaks_total(run, "leaked_blocks"), "leaked_bytes",
                                   leaks_total(run, "leaked_bytes"), "processes", run->processes);
        json_print(answer);
        json_decref(answer);
        return;
    }
    size_t i;
    const json_t *process;
    json_array_foreach(run->processes, i, process)
    {
        leaks_print_process(process);
    }
}

/* ---------------------------------------------------------------- the answer */
static bool leaks_is_judged(const struct leaks_tracked *run, const char *command)
{
    if (run->first == NULL) {
        (void)fprintf(stderr,
                      "heapmill leaks: %s was not tracked: it did not start, is linked statically, "
                      "or is set-user-ID\n",
                      command);
        return false;
    }
    if (run->signal != 0) {
        (void)fprintf(stderr, "heapmill leaks: %s was ended by signal %d (%s): not judged\n",
                      command, run->signal, strsignal(run->signal));
        return false;
    }
    if (!json_is_true(json_object_get(run->first, "judged"))) {
        (void)fprintf(
            stderr,
            "heapmill leaks: %s could not be judged: it ended by _exit, was replaced by a "
            "program that cannot be tracked, or its /proc could not be read\n",
            command);
        return false;
    }
    return true;
}

static int leaks_answer(struct leaks_tracked *run, const char *command, bool json)
{
    process_prepare_signals();
    bool judged = leaks_is_judged(run, command);
    leaks_print(run, judged, json);
    return leaks_total(run, "leaked_blocks") > 0 ? EXIT_FINDING
           : judged                              ? EXIT_CLEAN
                                                 : EXIT_ENVIRONMENT;
}

int leaks_program(char *const *command, const char *backend, bool json)
{
    struct error error = {.message = ""};
    struct leaks_tracked run;
    enum status status = leaks_track(command, backend, &run, &error);
    int answer = status == STATUS_INVALID ? EXIT_USAGE : EXIT_ENVIRONMENT;
    if (status == STATUS_OK) {
        answer = leaks_answer(&run, command[0], json);
    } else {
        (void)fprintf(stderr, "heapmill leaks: %s\n", error.message);
    }
    leaks_tracked_release(&run);
    return answer;
}
