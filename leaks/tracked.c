#include "leaks/tracked.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/process.h"
#include "common/host/scratch.h"
#include "common/host/text.h"
#include "leaks/leaktrack_file.h"
#include "run/registry.h"

struct tracked_run {
    char *preload;            /* LD_PRELOAD */
    struct scratch directory; /* the tracker writes into it */
    pid_t pid;
    struct leaks_tracked *tracked;
};

static enum status tracked_find_preload(struct tracked_run *run, const char *backend,
                                        struct error *error)
{
    struct registry registry;
    enum status status = registry_open(&registry, error);
    if (status != STATUS_OK) {
        return status;
    }
    const struct backend *found = backend == NULL ? NULL : registry_find(&registry, backend);
    char *library = registry_preload_path(&registry, "libheapmill-leaktrack.so");
    const char *inherited = getenv("LD_PRELOAD");
    char *below = text_format("%s", inherited == NULL ? "" : inherited);
    if (access(library, R_OK) != 0) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s is not there%s: build heapmill whole, without sanitizers", library,
                           registry.sanitized ? " (a sanitizer replaces malloc itself)" : "");
    } else if (backend != NULL && (found == NULL || (found->kind == BACKEND_OURS &&
                                                     !backend_has_arm(found, "preload")))) {
        status = error_set(error, STATUS_INVALID,
                           "'%s' is no back end that can be preloaded; `heapmill list` names them",
                           backend);
    } else if (found != NULL) {
        struct launch launch;
        registry_launch(found, "preload", &launch);
        char *path = registry_preload_path(&registry, launch.preload);
        free(below);
        below = text_format("%s", path);
        free(path);
        launch_free(&launch);
    }
    run->preload = text_format("%s%s%s", library, below[0] == '\0' ? "" : ":", below);
    free(below);
    free(library);
    registry_close(&registry);
    return status;
}

/* Starts the command. The terminal's Ctrl-C is for the command: heapmill waits for it, and then
 * reports. */
static enum status tracked_start(struct tracked_run *run, char *const *command, struct error *error)
{
    char *preload = text_format("LD_PRELOAD=%s", run->preload);
    char *directory = text_format("HEAPMILL_LEAKTRACK_DIRECTORY=%s", run->directory.path);
    const char *const settings[] = {preload, directory, NULL};
    const struct process_request request = {.arguments = (const char *const *)command,
                                            .settings = settings,
                                            .stdio = PROCESS_FOREGROUND,
                                            .stop_signal = SIGTERM};
    struct process process;
    enum status status = process_start(&request, &process, error);
    if (status == STATUS_OK) {
        run->pid = process.pid;
        while (process_wait(&process, 1, 60) > 0) {
        }
        run->tracked->exit_code = process.result.exit_code;
        run->tracked->signal = process.result.signal;
        process_free(&process);
    }
    free(directory);
    free(preload);
    return status;
}

/* Reads the files of all processes. */
static enum status tracked_gather(struct tracked_run *run, struct error *error)
{
    DIR *directory = opendir(run->directory.path);
    enum status status = directory == NULL ? error_set(error, STATUS_IO, "%s: %s",
                                                       run->directory.path, strerror(errno))
                                           : STATUS_OK;
    char *own = text_format("%ld.leaks", (long)run->pid);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char *path = text_format("%s/%s", run->directory.path, entry->d_name);
        json_t *process = leaktrack_file_read(path, error);
        if (process == NULL) {
            status = STATUS_IO;
        } else {
            uint64_t pid = strtoull(entry->d_name, NULL, 10);
            run->tracked->first = strcmp(entry->d_name, own) == 0 ? process : run->tracked->first;
            (void)json_object_set_new(process, "pid", json_integer((json_int_t)pid));
            (void)json_array_append_new(run->tracked->processes, process);
        }
        free(path);
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    free(own);
    return status;
}

enum status leaks_track(char *const *command, const char *backend, struct leaks_tracked *tracked,
                        struct error *error)
{
    struct tracked_run run = {.tracked = tracked, .directory = {.fd = -1}};
    *tracked = (struct leaks_tracked){.processes = json_array()};
    enum status status = tracked_find_preload(&run, backend, error);
    if (status == STATUS_OK) {
        status = scratch_open(&run.directory, NULL, "leaks", error);
    }
    if (status == STATUS_OK) {
        enum status started = tracked_start(&run, command, error);
        struct error second;
        status = tracked_gather(&run, started == STATUS_OK ? error : &second);
        status = started == STATUS_OK ? status : started;
    }
    free(run.preload);
    scratch_close(&run.directory);
    return status;
}

void leaks_tracked_release(struct leaks_tracked *tracked)
{
    json_decref(tracked->processes);
    *tracked = (struct leaks_tracked){.processes = NULL};
}
