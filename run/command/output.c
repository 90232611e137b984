#include "run/command/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/text.h"

enum {
    OUTPUT_TEXT_BYTES = 256 << 10,
    OUTPUT_CHUNK_BYTES = 64 << 10,
    OUTPUT_LINE_SHOWN = 120,
};

enum status output_open(int *fd, struct error *error)
{
    const char *directory = getenv("TMPDIR");
    char *path = text_format("%s/heapmill-output-XXXXXX", directory != NULL ? directory : "/tmp");
    *fd = mkstemp(path);
    enum status status =
        *fd < 0 ? error_set(error, STATUS_IO,
                            "%s: %m; set TMPDIR to a directory that can be written", path)
                : STATUS_OK;
    if (*fd >= 0) {
        (void)unlink(path);
    }
    free(path);
    return status;
}

void output_clear(int fd)
{
    int ignored = ftruncate(fd, 0);
    (void)ignored;
    (void)lseek(fd, 0, SEEK_SET);
}

static size_t output_size(int fd)
{
    struct stat status = {.st_size = 0};
    return fstat(fd, &status) == 0 ? (size_t)status.st_size : 0;
}

/* FNV-1a, 64 bits, by Fowler, Noll and Vo, with their constants. */
static bool output_hash(int fd, uint64_t *hash)
{
    char chunk[OUTPUT_CHUNK_BYTES];
    off_t offset = 0;
    ssize_t count;
    *hash = UINT64_C(0xcbf29ce484222325);
    while ((count = pread(fd, chunk, sizeof(chunk), offset)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            *hash = (*hash ^ (unsigned char)chunk[i]) * UINT64_C(0x100000001b3);
        }
        offset += count;
    }
    return count == 0;
}

/* The first OUTPUT_TEXT_BYTES, zero-terminated; the caller frees. */
static char *output_beginning(int fd)
{
    size_t size = output_size(fd);
    char *bytes = NULL;
    struct error error;
    size = size < OUTPUT_TEXT_BYTES ? size : OUTPUT_TEXT_BYTES;
    return file_read_part(fd, 0, size, &bytes, &error) == STATUS_OK ? bytes : text_format("%s", "");
}

json_t *output_describe(int fd)
{
    uint64_t hash;
    char digits[24];
    if (!output_hash(fd, &hash)) {
        return NULL;
    }
    (void)snprintf(digits, sizeof(digits), "%016" PRIx64, hash);
    char *text = output_beginning(fd);
    json_t *string = json_string(text);
    json_t *described = json_pack("{sI ss so}", "bytes", (json_int_t)output_size(fd), "hash",
                                  digits, "text", string != NULL ? string : json_null());
    free(text);
    return described;
}

static int output_line_length(const char *line)
{
    size_t length = strcspn(line, "\n");
    return (int)(length < OUTPUT_LINE_SHOWN ? length : OUTPUT_LINE_SHOWN);
}

/* Describes the first line in which two texts differ; NULL: they are equal. The caller frees. */
static char *output_first_difference(const char *expected, const char *is)
{
    size_t line = 1;
    size_t begin = 0;
    size_t i = 0;
    for (; expected[i] == is[i] && is[i] != '\0'; i++) {
        if (is[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    if (expected[i] == is[i]) {
        return NULL;
    }
    if (is[i] == '\0' && i == begin) {
        return text_format("it ends before line %zu, which was “%.*s”", line,
                           output_line_length(&expected[begin]), &expected[begin]);
    }
    if (expected[i] == '\0' && i == begin) {
        return text_format("it goes on with line %zu, “%.*s”", line, output_line_length(&is[begin]),
                           &is[begin]);
    }
    return text_format("line %zu is “%.*s”, and was “%.*s”", line, output_line_length(&is[begin]),
                       &is[begin], output_line_length(&expected[begin]), &expected[begin]);
}

char *output_difference(const json_t *expected, int fd)
{
    uint64_t hash;
    char digits[24] = "";
    size_t size = output_size(fd);
    if (output_hash(fd, &hash)) {
        (void)snprintf(digits, sizeof(digits), "%016" PRIx64, hash);
    }
    if (json_count_at(expected, "bytes", 0) == size &&
        strcmp(json_text_at(expected, "hash", ""), digits) == 0) {
        return NULL;
    }
    const char *was = json_text_at(expected, "text", NULL);
    char *is = output_beginning(fd);
    char *difference = was != NULL ? output_first_difference(was, is) : NULL;
    free(is);
    return difference != NULL
               ? difference
               : text_format("%zu bytes, which differ from the %" PRIu64 " that it printed", size,
                             json_count_at(expected, "bytes", 0));
}

enum status output_keep(int fd, const char *path, struct error *error)
{
    size_t size = output_size(fd);
    void *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (bytes == MAP_FAILED) {
        return error_set(error, STATUS_IO, "the output cannot be read: %m");
    }
    enum status status = file_write(path, bytes != NULL ? bytes : "", size, error);
    if (bytes != NULL) {
        (void)munmap(bytes, size);
    }
    return status;
}
