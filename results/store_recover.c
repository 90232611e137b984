#include "results/store_recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results/store_file.h"

/* Text that is being put together to be moved. */
struct moved_text {
    char *bytes;
    size_t count;
};

/* Reads a stretch of a file into memory of its own; *bytes is the caller's. */
static enum status recover_read(int fd, uint64_t offset, size_t count, char **bytes,
                                struct error *error)
{
    *bytes = malloc(count + 1);
    if (*bytes == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to recover %zu bytes", count);
    }
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(fd, *bytes + done, count - done, (off_t)(offset + done));
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            free(*bytes);
            return error_set(error, STATUS_IO, "cannot read what is to be recovered: %s",
                             got < 0 ? strerror(errno) : "the file has become shorter");
        }
        done += got > 0 ? (size_t)got : 0;
    }
    (*bytes)[count] = '\0';
    return STATUS_OK;
}

/* A torn line as JSON of its own: cut UTF-8 and control bytes become question marks. */
static char *recover_wrap_torn(char *torn, size_t count, uint64_t offset)
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

/* The whole lines from `cut` on, and the wrapped torn line after them. */
static enum status recover_collect(int fd, uint64_t cut, const struct record_tail *tail,
                                   struct moved_text *text, struct error *error)
{
    size_t whole = (size_t)(tail->whole_bytes - cut);
    char *lines = NULL;
    char *torn = NULL;
    enum status status = recover_read(fd, cut, whole, &lines, error);
    if (status != STATUS_OK) {
        return status;
    }
    *text = (struct moved_text){lines, whole};
    if (tail->torn_bytes == 0) {
        return STATUS_OK;
    }
    size_t torn_bytes = (size_t)tail->torn_bytes;
    status = recover_read(fd, tail->whole_bytes, torn_bytes, &torn, error);
    if (status != STATUS_OK) {
        free(lines);
        return status;
    }
    char *wrapped = recover_wrap_torn(torn, torn_bytes, tail->whole_bytes);
    free(torn);
    size_t length = wrapped != NULL ? strlen(wrapped) : 0;
    char *joined = wrapped != NULL ? realloc(lines, whole + length + 1) : NULL;
    if (joined == NULL) {
        free(lines);
        free(wrapped);
        return error_set(error, STATUS_NO_MEMORY, "no memory to recover the last line");
    }
    /* The bytes are counted, not terminated. */
    memcpy(joined + whole, wrapped, length); // NOLINT(bugprone-not-null-terminated-result)
    joined[whole + length] = '\n';
    free(wrapped);
    *text = (struct moved_text){joined, whole + length + 1};
    return STATUS_OK;
}

/* Cuts what a kill left of an earlier, unfinished append: bytes after the last newline. */
static enum status recover_trim(int fd, const char *path, uint64_t *size, struct error *error)
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

/* Does the file end with exactly this text? Then an earlier recovery was killed between moving and
 * cutting. Records hold their start time, so that no two are the same. */
static bool recover_has_text(int fd, uint64_t size, const struct moved_text *text)
{
    if (size < text->count) {
        return false;
    }
    char *end = NULL;
    if (recover_read(fd, size - text->count, text->count, &end, NULL) != STATUS_OK) {
        return false;
    }
    bool same = memcmp(end, text->bytes, text->count) == 0;
    free(end);
    return same;
}

static enum status recover_append(const char *directory, const struct moved_text *text,
                                  struct error *error)
{
    char path[STORE_PATH_MAX];
    uint64_t size = 0;
    enum status status = store_file_path(path, directory, "interrupted.jsonl", error);
    if (status != STATUS_OK) {
        return status;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        return error_set(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    }
    status = recover_trim(fd, path, &size, error);
    if (status == STATUS_OK && !recover_has_text(fd, size, text)) {
        status = store_file_write(fd, path, text->bytes, text->count, error);
    }
    close(fd);
    return status == STATUS_OK ? store_file_sync_directory(directory, error) : status;
}

enum status store_recover(struct record_set *set, const struct record_tail *tail, int records_fd,
                          uint64_t *size, uint64_t *moved, struct error *error)
{
    size_t start = record_set_interrupted_start(set);
    uint64_t cut = start < set->record_count ? set->records[start].offset : tail->whole_bytes;
    *moved = set->record_count - start + (tail->torn_bytes > 0);
    *size = cut;
    if (*moved == 0) {
        return STATUS_OK;
    }
    struct moved_text text = {0};
    enum status status = recover_collect(records_fd, cut, tail, &text, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = recover_append(set->directory, &text, error);
    free(text.bytes);
    if (status != STATUS_OK) {
        return status;
    }
    if (ftruncate(records_fd, (off_t)cut) != 0 || fsync(records_fd) != 0) {
        return error_set(error, STATUS_IO, "cannot cut %s/records.jsonl: %s", set->directory,
                         strerror(errno));
    }
    record_set_truncate(set, start);
    return STATUS_OK;
}
