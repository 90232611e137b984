#include "fuzz/campaign/cmin.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/host/files.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/crew.h"

static const double CMIN_TIME_S = 3600;

static size_t cmin_count(const char *directory)
{
    struct text_list names = {0};
    file_list_names(directory, &names);
    size_t count = names.count;
    text_list_free(&names);
    return count;
}

static enum status cmin_merge(const struct fuzz_cmin *cmin, const char *program, bool *failed,
                              struct error *error)
{
    struct process_result member;
    struct crew_job job = {.stop_signal = SIGKILL, .log = text_format("%s.log", cmin->output)};
    text_list_add(&job.arguments, text_format("%s", program));
    text_list_add(&job.arguments, text_format("-merge=1"));
    text_list_add(&job.arguments, text_format("-artifact_prefix=%s.", cmin->output));
    text_list_add(&job.arguments, text_format("-max_len=1000000"));
    text_list_add(&job.arguments, text_format("%s", cmin->output));
    for (size_t i = 0; i < cmin->directories->count; i++) {
        text_list_add(&job.arguments, text_format("%s", cmin->directories->items[i]));
    }
    text_list_add(&job.settings, text_format("ASAN_OPTIONS=detect_leaks=0:symbolize=0"));
    (void)unlink(job.log);
    enum status status = crew_run(&job, CMIN_TIME_S, &member, error);
    *failed = status == STATUS_OK && (member.exit_code != 0 || member.signal != 0);
    if (status == STATUS_OK && !*failed) {
        (void)unlink(job.log);
    }
    crew_job_free(&job);
    return status;
}

enum status fuzz_cmin_run(const struct fuzz_cmin *cmin, struct fuzz_cmin_result *result,
                          struct error *error)
{
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    const char *path;
    *result = (struct fuzz_cmin_result){.failed = false};
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(&catalog, cmin->target, cmin->backend, "", &program, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_catalog_path(program, FUZZ_TREE_LIBFUZZER, &path, error);
    }
    if (status == STATUS_OK) {
        status = file_make_directory(cmin->output, error);
    }
    for (size_t i = 0; i < cmin->directories->count; i++) {
        result->inputs_before += cmin_count(cmin->directories->items[i]);
    }
    if (status == STATUS_OK) {
        status = cmin_merge(cmin, path, &result->failed, error);
    }
    result->inputs = cmin_count(cmin->output);
    fuzz_catalog_close(&catalog);
    return status;
}
