#include "fuzz/campaign/execute.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "fuzz/campaign/crew.h"
#include "fuzz/campaign/library.h"

/* Makes a file for the child's output in the directory for temporary files; the caller frees its
 * name. */
static char *execute_make_log(struct error *error)
{
    const char *parent = getenv("TMPDIR");
    char *path = text_format("%s/heapmill-fuzz-XXXXXX", parent != NULL ? parent : "/tmp");
    int file = mkstemp(path);
    if (file < 0) {
        error_fill(error, STATUS_IO, "no temporary file %s: set TMPDIR: %m", path);
        free(path);
        return NULL;
    }
    (void)close(file);
    return path;
}

enum status fuzz_execute(const char *const *arguments, const struct fuzz_subject *subject,
                         bool symbolize, double time_s, struct fuzz_execution *execution,
                         struct error *error)
{
    struct crew_job job = {.stop_signal = SIGKILL, .log = execute_make_log(error)};
    struct process_result member;
    *execution = (struct fuzz_execution){.text = NULL};
    if (job.log == NULL) {
        return STATUS_IO;
    }
    for (size_t i = 0; arguments[i] != NULL; i++) {
        text_list_add(&job.arguments, text_format("%s", arguments[i]));
    }
    fuzz_subject_add_settings(subject, &job.settings);
    text_list_add(&job.settings, text_format("ASAN_OPTIONS=abort_on_error=1:handle_abort=1:"
                                             "detect_leaks=0:symbolize=%d",
                                             symbolize));
    text_list_add(&job.settings, text_format("UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:"
                                             "print_stacktrace=1:symbolize=%d",
                                             symbolize));
    enum status status = crew_run(&job, time_s, &member, error);
    execution->timed_out = status == STATUS_BUSY;
    if (status == STATUS_OK || status == STATUS_BUSY) {
        execution->exit_code = member.exit_code;
        execution->signal = member.signal;
        status = file_read(job.log, &execution->text, &execution->text_bytes, error);
    }
    (void)unlink(job.log);
    crew_job_free(&job);
    return status;
}

void fuzz_execution_free(struct fuzz_execution *execution)
{
    free(execution->text);
    execution->text = NULL;
}

bool fuzz_execution_clean(const struct fuzz_execution *execution)
{
    return !execution->timed_out && execution->exit_code == 0 && execution->signal == 0;
}
