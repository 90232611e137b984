#include "fuzz/campaign/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/text.h"
#include "fuzz/campaign/files.h"
#include "results/store_file.h"

static enum status fuzz_log_load_plan(const char *path, json_t **plan, struct error *error)
{
    json_error_t where;
    if (access(path, F_OK) != 0) {
        *plan = NULL;
        return error_set(error, STATUS_NOT_FOUND, "there is no %s: no such campaign or score",
                         path);
    }
    *plan = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    return json_is_object(*plan)
               ? STATUS_OK
               : error_set(error, STATUS_CORRUPT, "%s, line %d: %s: restore it, or begin anew",
                           path, where.line, where.text);
}

/* Reads whole lines; *whole is how many bytes they take. */
static enum status fuzz_log_load_lines(const char *path, json_t **lines, size_t *whole,
                                       struct error *error)
{
    char *text;
    size_t size;
    *lines = json_array();
    *whole = 0;
    if (access(path, F_OK) != 0) {
        return STATUS_OK;
    }
    enum status status = fuzz_read_file(path, &text, &size, error);
    size_t number = 1;
    const char *end;
    while (status == STATUS_OK && (end = memchr(text + *whole, '\n', size - *whole)) != NULL) {
        size_t length = (size_t)(end - text) - *whole;
        json_t *line = json_loadb(text + *whole, length, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(line)) {
            json_decref(line);
            status = error_set(error, STATUS_CORRUPT,
                               "%s, line %zu is damaged: delete that line to go on without it",
                               path, number);
        } else {
            (void)json_array_append_new(*lines, line);
            *whole += length + 1;
            number++;
        }
    }
    free(text);
    return status;
}

/* Writes the plan, or compares it with the one that is there. */
static enum status fuzz_log_settle_plan(const char *directory, const char *name,
                                        const char *plan_path, json_t *plan, bool resume,
                                        json_t **found, struct error *error)
{
    json_t *there = NULL;
    enum status status = fuzz_log_load_plan(plan_path, &there, error);
    if (status == STATUS_OK && plan == NULL) {
        *found = there;
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        bool same = resume && json_equal(there, plan) == 1;
        status = same     ? STATUS_OK
                 : resume ? error_set(error, STATUS_INVALID,
                                      "%s was begun with other options: give the same, or another "
                                      "directory",
                                      directory)
                          : error_set(error, STATUS_INVALID,
                                      "%s is there already: --resume goes on with it, -o names "
                                      "another directory",
                                      plan_path);
    } else if (status == STATUS_NOT_FOUND && plan != NULL) {
        char *text = json_dumps(plan, JSON_INDENT(1));
        char *file = text_format("%s.json", name);
        status = store_file_replace(directory, file, text, strlen(text), error);
        free(file);
        free(text);
    }
    json_decref(there);
    return status;
}

enum status fuzz_log_open(struct fuzz_log *log, const char *directory, const char *name,
                          const char *lines_name, json_t *plan, bool resume, json_t **found,
                          struct error *error)
{
    size_t whole = 0;
    char *plan_path = text_format("%s/%s.json", directory, name);
    *log = (struct fuzz_log){
        .path = text_format("%s/%s.jsonl", directory, lines_name), .lock = -1, .file = -1};
    enum status status = STATUS_OK;
    if (plan != NULL) {
        status = store_file_make_directory(directory, error);
    } else if (access(plan_path, F_OK) != 0) {
        status = fuzz_log_load_plan(plan_path, found, error);
    }
    if (status == STATUS_OK) {
        status = store_file_lock(directory, &log->lock, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_log_settle_plan(directory, name, plan_path, plan, resume, found, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_log_load_lines(log->path, &log->lines, &whole, error);
    }
    if (status == STATUS_OK) {
        log->file = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (log->file < 0 || ftruncate(log->file, (off_t)whole) != 0) {
            status = error_set(error, STATUS_IO, "cannot write %s: %s", log->path, strerror(errno));
        }
    }
    free(plan_path);
    if (status != STATUS_OK) {
        fuzz_log_close(log);
    }
    return status;
}

enum status fuzz_log_append(struct fuzz_log *log, json_t *line, struct error *error)
{
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    if (text == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a line of %s", log->path);
    }
    char *whole = text_format("%s\n", text);
    enum status status = store_file_write(log->file, log->path, whole, strlen(whole), error);
    free(whole);
    free(text);
    return status;
}

void fuzz_log_close(struct fuzz_log *log)
{
    if (log->file >= 0) {
        (void)close(log->file);
    }
    if (log->lock >= 0) {
        (void)close(log->lock);
    }
    json_decref(log->lines);
    free(log->path);
    *log = (struct fuzz_log){.lock = -1, .file = -1};
}

enum status fuzz_log_read(const char *directory, const char *name, const char *lines_name,
                          json_t **plan, json_t **lines, struct error *error)
{
    size_t whole;
    char *plan_path = text_format("%s/%s.json", directory, name);
    char *lines_path = text_format("%s/%s.jsonl", directory, lines_name);
    *lines = NULL;
    enum status status = fuzz_log_load_plan(plan_path, plan, error);
    if (status == STATUS_OK) {
        status = fuzz_log_load_lines(lines_path, lines, &whole, error);
    }
    if (status != STATUS_OK) {
        json_decref(*plan);
        json_decref(*lines);
        *plan = NULL;
        *lines = NULL;
    }
    free(plan_path);
    free(lines_path);
    return status;
}
