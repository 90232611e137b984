/* Reads an engine's progress while it runs: counters that the target shares, libFuzzer's log,
 * AFL++'s plot_data (fuzzer_stats is written only once a minute). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "fuzz/engines/launch.h"
#include "fuzz/oracle.h"

enum {
    PROGRESS_TAIL_BYTES = 8192,
    /* A longer log is truncated: libFuzzer writes a line for each input that it keeps. */
    PROGRESS_LOG_MAX_BYTES = 8 << 20,
};

/* Reads the end of a file; "" if there is none. text has room for PROGRESS_TAIL_BYTES + 1. */
static void progress_tail(const char *path, char *text, off_t *size)
{
    FILE *file = fopen(path, "re");
    size_t length = 0;
    *size = 0;
    if (file != NULL && fseeko(file, 0, SEEK_END) == 0) {
        *size = ftello(file);
        off_t from = *size > PROGRESS_TAIL_BYTES ? *size - PROGRESS_TAIL_BYTES : 0;
        if (fseeko(file, from, SEEK_SET) == 0) {
            length = fread(text, 1, PROGRESS_TAIL_BYTES, file);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    for (size_t i = 0; i < length; i++) {
        text[i] = text[i] == '\0' ? '?' : text[i];
    }
    text[length] = '\0';
}

/* The number after the last occurrence of a word. */
static uint64_t progress_last(const char *text, const char *word)
{
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        last = at;
    }
    return last != NULL ? strtoull(last + strlen(word), NULL, 10) : 0;
}

static void progress_read_counters(const struct fuzz_launch *launch, const char *name,
                                   struct fuzz_progress *progress)
{
    struct fuzz_counters counters = {0};
    char *path = text_format("%s/counters/%s", launch->directory, name);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fread(&counters, sizeof(counters), 1, file) == 1) {
            progress->executions = counters.executions;
            progress->operations = counters.operations;
            progress->bug_reached = counters.bug_reached;
            progress->bug_triggered = counters.bug_triggered;
        }
        (void)fclose(file);
    }
    free(path);
}

/* Reads "#123 NEW cov: 45 ft: 67 corp: 8/90b …". */
static void progress_read_log(const struct fuzz_launch *launch, const char *name,
                              struct fuzz_progress *progress)
{
    char text[PROGRESS_TAIL_BYTES + 1];
    off_t size;
    char *path = text_format("%s/logs/%s.log", launch->directory, name);
    progress_tail(path, text, &size);
    progress->coverage = progress_last(text, " cov: ");
    progress->corpus = progress_last(text, " corp: ");
    if (size > PROGRESS_LOG_MAX_BYTES) {
        (void)truncate(path, 0); /* the engine appends, so it continues at the beginning */
    }
    free(path);
}

/* Reads plot_data: time, cycles, item, corpus, pending, favourites, map %, crashes, hangs, depth,
 * exec/s, execs, edges. */
static void progress_read_plot_data(const struct fuzz_launch *launch, const char *name,
                                    struct fuzz_progress *progress)
{
    enum { CORPUS = 3, EDGES = 12 };
    char text[PROGRESS_TAIL_BYTES + 1];
    off_t size;
    char *path = text_format("%s/afl/%s/plot_data", launch->directory, name);
    progress_tail(path, text, &size);
    free(path);
    char *end = strrchr(text, '\n');
    if (end == NULL) {
        return;
    }
    *end = '\0';
    const char *line = strrchr(text, '\n');
    struct text_list fields = {0};
    text_split(&fields, line != NULL ? line + 1 : text, ',');
    if (fields.count > EDGES && strchr(fields.items[0], '#') == NULL) {
        progress->corpus = strtoull(fields.items[CORPUS], NULL, 10);
        progress->coverage = strtoull(fields.items[EDGES], NULL, 10);
    }
    text_list_free(&fields);
    path = text_format("%s/afl/%s/fuzzer_stats", launch->directory, name);
    progress_tail(path, text, &size);
    const char *stability = strstr(text, "stability");
    if (stability != NULL && strchr(stability, ':') != NULL) {
        progress->stability = strtod(strchr(stability, ':') + 1, NULL);
    }
    free(path);
}

void fuzz_engine_read(const struct fuzz_launch *launch, struct fuzz_progress *progress)
{
    char *name = fuzz_engine_member_name(launch);
    *progress = (struct fuzz_progress){0};
    progress_read_counters(launch, name, progress);
    if (fuzz_engine_is_afl(launch->engine)) {
        progress_read_plot_data(launch, name, progress);
    } else if (launch->engine != FUZZ_ENGINE_RANDOM) {
        progress_read_log(launch, name, progress);
    }
    free(name);
}

static void progress_add_findings(const char *directory, const char *below, const char *prefix,
                                  struct text_list *paths)
{
    struct text_list names = {0};
    char *path = text_format("%s/%s", directory, below);
    file_list_names(path, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (strncmp(names.items[i], prefix, strlen(prefix)) == 0 &&
            strncmp(names.items[i], "slow-unit-", strlen("slow-unit-")) != 0) {
            text_list_add(paths, text_format("%s/%s", below, names.items[i]));
        }
    }
    text_list_free(&names);
    free(path);
}

void fuzz_engine_list_findings(const char *directory, struct text_list *paths)
{
    progress_add_findings(directory, "findings", "", paths);
    for (unsigned index = 0;; index++) {
        bool any = false;
        for (size_t engine = FUZZ_ENGINE_AFL; engine <= FUZZ_ENGINE_AFL_NOMUTATOR; engine++) {
            struct stat status;
            char *member = text_format("%s/afl/%s-%u", directory,
                                       fuzz_engine_name((enum fuzz_engine)engine), index);
            if (stat(member, &status) == 0) {
                any = true;
                char *crashes = text_format("%s/crashes", member + strlen(directory) + 1);
                progress_add_findings(directory, crashes, "id:", paths);
                free(crashes);
            }
            free(member);
        }
        if (!any) {
            return;
        }
    }
}
