#include "common/host/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/text.h"

enum { JOURNAL_BUFFER_BYTES = 1 << 18 };

/* ---------------------------------------------------------------- reading */
enum status journal_read_plan(const struct journal_kind *kind, const char *directory, json_t **plan,
                              struct error *error)
{
    struct error cause;
    char *path = text_format("%s/%s", directory, kind->plan);
    enum status status = json_read_file(path, plan, &cause);
    if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_NOT_FOUND, "%s has no %s: %s", directory, kind->plan,
                           kind->if_absent);
    } else if (status == STATUS_CORRUPT) {
        status = error_set(error, STATUS_CORRUPT, "%s; %s", cause.message, kind->if_plan_damaged);
    } else if (status != STATUS_OK) {
        status = error_set(error, status, "%s", cause.message);
    }
    free(path);
    return status;
}

struct journal_scan {
    const struct journal_kind *kind;
    const char *path;
    FILE *file;
    char *text; /* of the line, with its newline */
    size_t capacity;
    struct journal_line line;
};

/* Refuses a damaged line that is not the last one, since a kill cannot have torn it. */
static enum status journal_refuse(const struct journal_scan *scan, const char *what,
                                  struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "%s line %llu: %s; %s", scan->path,
                     (unsigned long long)scan->line.number, what, scan->kind->if_line_damaged);
}

/* Is the line that was just read the last one? */
static bool journal_at_end(struct journal_scan *scan)
{
    int next = getc(scan->file);
    if (next != EOF) {
        (void)ungetc(next, scan->file);
    }
    return next == EOF;
}

/* Reads one line with its newline. *torn: it is the last line and no JSON, so a kill may have cut
 * it. */
static enum status journal_read_line(struct journal_scan *scan, journal_reader *reader,
                                     void *context, bool *torn, struct error *error)
{
    json_error_t where;
    struct error cause;
    scan->line.json = json_loadb(scan->text, scan->line.bytes, JSON_REJECT_DUPLICATES, &where);
    if (scan->line.json == NULL) {
        *torn = journal_at_end(scan);
        return *torn ? STATUS_OK : journal_refuse(scan, where.text, error);
    }
    enum status status = reader(context, &scan->line, &cause);
    json_decref(scan->line.json);
    if (status == STATUS_INVALID || status == STATUS_CORRUPT) {
        return journal_refuse(scan, cause.message, error);
    }
    return status == STATUS_OK ? status : error_set(error, status, "%s", cause.message);
}

static enum status journal_read_lines(struct journal_scan *scan, journal_reader *reader,
                                      void *context, uint64_t *torn_bytes, struct error *error)
{
    ssize_t got;
    errno = 0;
    while ((got = getline(&scan->text, &scan->capacity, scan->file)) > 0) {
        bool torn = scan->text[got - 1] != '\n';
        enum status status = STATUS_OK;
        scan->line.number++;
        if (!torn && got - 1 > (ssize_t)UINT32_MAX) {
            return journal_refuse(scan, "the line is longer than 4 GiB", error);
        }
        scan->line.bytes = (uint32_t)(got - 1);
        if (!torn) {
            status = journal_read_line(scan, reader, context, &torn, error);
        }
        if (status != STATUS_OK) {
            return status;
        }
        if (torn) {
            *torn_bytes = (uint64_t)got;
            return STATUS_OK;
        }
        scan->line.offset += (uint64_t)got;
    }
    return feof(scan->file)
               ? STATUS_OK
               : error_set(error, STATUS_IO, "cannot read %s: %s", scan->path, strerror(errno));
}

enum status journal_read(const struct journal_kind *kind, const char *directory,
                         journal_reader *reader, void *context, uint64_t *size, uint64_t *torn,
                         struct error *error)
{
    uint64_t torn_bytes = 0;
    char *path = text_format("%s/%s", directory, kind->lines);
    struct journal_scan scan = {.kind = kind, .path = path, .file = fopen(path, "re")};
    enum status status = STATUS_OK;
    if (scan.file != NULL) {
        (void)setvbuf(scan.file, NULL, _IOFBF, JOURNAL_BUFFER_BYTES);
        status = journal_read_lines(&scan, reader, context, &torn_bytes, error);
        (void)fclose(scan.file);
    } else if (errno != ENOENT) {
        status = error_set(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    }
    if (size != NULL) {
        *size = scan.line.offset;
    }
    if (torn != NULL) {
        *torn = torn_bytes;
    }
    free(scan.text);
    free(path);
    return status;
}

enum status journal_keep_line(void *array, const struct journal_line *line, struct error *error)
{
    return json_array_append(array, line->json) == 0
               ? STATUS_OK
               : error_set(error, STATUS_NO_MEMORY, "no memory for line %llu",
                           (unsigned long long)line->number);
}

/* ---------------------------------------------------------------- opening */
static void journal_start(struct journal *journal, const struct journal_kind *kind,
                          const char *directory)
{
    *journal = (struct journal){.kind = kind,
                                .directory = text_format("%s", directory),
                                .path = text_format("%s/%s", directory, kind->lines),
                                .lock_fd = -1,
                                .lines_fd = -1};
}

void journal_close(struct journal *journal)
{
    if (journal->directory != NULL && journal->lines_fd >= 0) {
        (void)close(journal->lines_fd);
    }
    if (journal->directory != NULL && journal->lock_fd >= 0) {
        (void)close(journal->lock_fd); /* last, since it unlocks */
    }
    free(journal->directory);
    free(journal->path);
    *journal = (struct journal){.lock_fd = -1, .lines_fd = -1};
}

static enum status journal_open_lines(struct journal *journal, struct error *error)
{
    journal->lines_fd = open(journal->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (journal->lines_fd < 0) {
        return error_set(error, STATUS_IO, "cannot open %s: %s", journal->path, strerror(errno));
    }
    return file_sync_directory(journal->directory, error);
}

/* Refuses a directory that already has a job, because the lines of two jobs must not mix. */
static enum status journal_check_unused(const struct journal *journal, struct error *error)
{
    const char *const names[] = {journal->kind->plan, journal->kind->lines};
    for (size_t i = 0; i < 2; i++) {
        char *path = text_format("%s/%s", journal->directory, names[i] != NULL ? names[i] : "");
        bool used = names[i] != NULL && access(path, F_OK) == 0;
        free(path);
        if (used) {
            return error_set(error, STATUS_INVALID,
                             "%s has a %s already: go on with that run by --resume, or choose "
                             "another directory with -o",
                             journal->directory, names[i]);
        }
    }
    return STATUS_OK;
}

static enum status journal_write_plan(const struct journal *journal, const json_t *plan,
                                      struct error *error)
{
    if (journal->kind->plan == NULL) {
        return STATUS_OK;
    }
    char *path = text_format("%s/%s", journal->directory, journal->kind->plan);
    enum status status = json_write_file(path, plan, error);
    free(path);
    return status;
}

enum status journal_begin(struct journal *journal, const struct journal_kind *kind,
                          const char *directory, const json_t *plan, struct error *error)
{
    enum status status = file_make_directory(directory, error);
    if (status != STATUS_OK) {
        return status;
    }
    journal_start(journal, kind, directory);
    status = file_lock_directory(directory, &journal->lock_fd, error);
    if (status == STATUS_OK) {
        status = journal_check_unused(journal, error);
    }
    if (status == STATUS_OK) {
        status = journal_write_plan(journal, plan, error);
    }
    if (status == STATUS_OK) {
        status = journal_open_lines(journal, error);
    }
    if (status != STATUS_OK) {
        journal_close(journal);
    }
    return status;
}

static enum status journal_check_plan(const struct journal_kind *kind, const char *directory,
                                      const json_t *plan, struct error *error)
{
    json_t *there = NULL;
    enum status status = journal_read_plan(kind, directory, &there, error);
    if (status == STATUS_OK && plan != NULL && json_equal(there, plan) != 1) {
        status = error_set(error, STATUS_INVALID,
                           "%s was begun with other options: give the same, or another directory",
                           directory);
    }
    json_decref(there);
    return status;
}

enum status journal_resume(struct journal *journal, const struct journal_kind *kind,
                           const char *directory, const json_t *plan, journal_reader *reader,
                           void *context, struct error *error)
{
    enum status status = STATUS_OK;
    if (kind->plan != NULL) {
        status = journal_check_plan(kind, directory, plan, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    journal_start(journal, kind, directory);
    status = file_lock_directory(directory, &journal->lock_fd, error);
    if (status == STATUS_OK) {
        status =
            journal_read(kind, directory, reader, context, &journal->size, &journal->torn, error);
    }
    if (status == STATUS_OK) {
        status = journal_open_lines(journal, error);
    }
    if (status != STATUS_OK) {
        journal_close(journal);
    }
    return status;
}

/* ---------------------------------------------------------------- repairing */

/* Wraps a torn line as JSON. Cut UTF-8 and control bytes become question marks. */
static char *journal_wrap_torn(char *torn, size_t count, uint64_t offset)
{
    for (size_t i = 0; i < count; i++) {
        if (torn[i] < ' ' || torn[i] > '~') {
            torn[i] = '?';
        }
    }
    json_t *json = json_pack("{s:s, s:I, s:s%}", "format", "heapmill-torn-1", "offset",
                             (json_int_t)offset, "text", torn, count);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

/* Collects the whole lines from `cut` on, and the wrapped torn line after them. The caller frees
 * *text. */
static enum status journal_collect(const struct journal *journal, uint64_t cut, char **text,
                                   size_t *count, struct error *error)
{
    char *torn = NULL;
    size_t torn_bytes = (size_t)journal->torn;
    *count = (size_t)(journal->size - cut);
    enum status status = file_read_part(journal->lines_fd, cut, *count, text, error);
    if (status == STATUS_OK && torn_bytes > 0) {
        status = file_read_part(journal->lines_fd, journal->size, torn_bytes, &torn, error);
    }
    if (status != STATUS_OK || torn_bytes == 0) {
        return status;
    }
    char *wrapped = journal_wrap_torn(torn, torn_bytes, journal->size);
    free(torn);
    if (wrapped == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to recover the last line");
    }
    size_t length = strlen(wrapped);
    *text = text_grow(*text, *count + length + 1, 1);
    /* The bytes are counted, not terminated. */
    memcpy(*text + *count, wrapped, length); // NOLINT(bugprone-not-null-terminated-result)
    (*text)[*count + length] = '\n';
    *count += length + 1;
    free(wrapped);
    return STATUS_OK;
}

/* Cuts bytes after the last newline, which a killed append has left. */
static enum status journal_trim(int fd, const char *path, uint64_t *size, struct error *error)
{
    off_t end = lseek(fd, 0, SEEK_END);
    char last = '\n';
    off_t whole = end;
    while (whole > 0 && pread(fd, &last, 1, whole - 1) == 1 && last != '\n') {
        whole--;
    }
    if (end < 0 || (whole < end && ftruncate(fd, whole) != 0)) {
        return error_set(error, STATUS_IO, "cannot cut %s: %s", path, strerror(errno));
    }
    *size = (uint64_t)whole;
    return STATUS_OK;
}

/* Does the file end with exactly this text? Then an earlier repair was killed after moving the
 * lines and before cutting them. Lines contain their time, so no two are equal. */
static bool journal_ends_with(int fd, uint64_t size, const char *text, size_t count)
{
    char *end = NULL;
    if (size < count || file_read_part(fd, size - count, count, &end, NULL) != STATUS_OK) {
        return false;
    }
    bool same = memcmp(end, text, count) == 0;
    free(end);
    return same;
}

static enum status journal_keep_interrupted(const struct journal *journal, const char *text,
                                            size_t count, struct error *error)
{
    if (journal->kind->interrupted == NULL) {
        return STATUS_OK;
    }
    uint64_t size = 0;
    char *path = text_format("%s/%s", journal->directory, journal->kind->interrupted);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    enum status status =
        fd < 0 ? error_set(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno))
               : journal_trim(fd, path, &size, error);
    if (status == STATUS_OK && !journal_ends_with(fd, size, text, count)) {
        status = file_append(fd, path, text, count, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(path);
    return status == STATUS_OK ? file_sync_directory(journal->directory, error) : status;
}

enum status journal_repair(struct journal *journal, uint64_t cut, struct error *error)
{
    char *text = NULL;
    size_t count = 0;
    if (cut == journal->size && journal->torn == 0) {
        return STATUS_OK;
    }
    enum status status = journal_collect(journal, cut, &text, &count, error);
    if (status == STATUS_OK) {
        status = journal_keep_interrupted(journal, text, count, error);
    }
    free(text);
    if (status != STATUS_OK) {
        return status;
    }
    if (ftruncate(journal->lines_fd, (off_t)cut) != 0 || fsync(journal->lines_fd) != 0) {
        return error_set(error, STATUS_IO, "cannot cut %s: %s", journal->path, strerror(errno));
    }
    journal->size = cut;
    journal->torn = 0;
    return STATUS_OK;
}

/* ---------------------------------------------------------------- writing */
enum status journal_append(struct journal *journal, const json_t *json, struct journal_line *line,
                           struct error *error)
{
    char *text = json_dumps(json, JSON_COMPACT);
    size_t length = text != NULL ? strlen(text) : 0;
    if (length == 0 || length > UINT32_MAX) {
        free(text);
        return error_set(error, STATUS_NO_MEMORY, "no memory to write a line of %s", journal->path);
    }
    text[length] = '\n'; /* replaces the zero byte: one write for line and newline */
    enum status status = file_append(journal->lines_fd, journal->path, text, length + 1, error);
    free(text);
    if (status != STATUS_OK && ftruncate(journal->lines_fd, (off_t)journal->size) != 0) {
        return error_set(error, STATUS_IO,
                         "cannot write %s, nor cut it again: free some space and use --resume",
                         journal->path);
    }
    if (status == STATUS_OK) {
        if (line != NULL) {
            *line = (struct journal_line){.offset = journal->size, .bytes = (uint32_t)length};
        }
        journal->size += length + 1;
    }
    return status;
}
