#include "results/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/sha256.h"

static char *manifest_path(const char *directory, const char *name)
{
    return text_format("%s/%s", directory, name);
}

/* A regular file that belongs to the run. Names that `sha256sum` would have to escape are none of
 * heapmill's. */
static bool manifest_has(const char *directory, const char *name)
{
    struct stat status;
    char *path = manifest_path(directory, name);
    bool regular = lstat(path, &status) == 0 && S_ISREG(status.st_mode);
    free(path);
    return regular && strcmp(name, "lock") != 0 && strcmp(name, "finished") != 0 &&
           strcmp(name, MANIFEST_NAME) != 0 && strpbrk(name, "\\\n") == NULL;
}

static int manifest_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

enum status manifest_list(const char *directory, struct text_list *names, struct error *error)
{
    DIR *listing = opendir(directory);
    if (listing == NULL) {
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", directory,
                         strerror(errno));
    }
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (manifest_has(directory, entry->d_name)) {
            text_list_add(names, text_format("%s", entry->d_name));
        }
    }
    (void)closedir(listing);
    if (names->count > 0) {
        qsort(names->items, names->count, sizeof(char *), manifest_compare);
    }
    return STATUS_OK;
}

/* Its text as the files are now; the caller frees. */
static enum status manifest_make(const char *directory, char **text, struct error *error)
{
    struct text_list names = {0};
    struct text_list lines = {0};
    enum status status = manifest_list(directory, &names, error);
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        char digest[SHA256_TEXT_BYTES];
        char *path = manifest_path(directory, names.items[i]);
        status = sha256_of_file(path, digest, error);
        if (status == STATUS_OK) {
            text_list_add(&lines, text_format("%s  %s\n", digest, names.items[i]));
        }
        free(path);
    }
    *text = status == STATUS_OK ? text_join(&lines, "") : NULL;
    text_list_free(&names);
    text_list_free(&lines);
    return status;
}

enum status manifest_write(const char *directory, struct error *error)
{
    char *text = NULL;
    enum status status = manifest_make(directory, &text, error);
    if (status == STATUS_OK) {
        char *path = manifest_path(directory, MANIFEST_NAME);
        status = file_replace(path, text, strlen(text), error);
        free(path);
    }
    free(text);
    return status;
}

void manifest_remove(const char *directory)
{
    char *path = manifest_path(directory, MANIFEST_NAME);
    (void)unlink(path);
    free(path);
}

bool manifest_is_there(const char *directory)
{
    char *path = manifest_path(directory, MANIFEST_NAME);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* The line of a file: "DIGEST  NAME"; NULL: there is none. */
static const char *manifest_line(const struct text_list *lines, const char *name)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *line = lines->items[i];
        if (strlen(line) > SHA256_TEXT_BYTES && strcmp(line + SHA256_TEXT_BYTES + 1, name) == 0) {
            return line;
        }
    }
    return NULL;
}

/* The first line of one that the other has not, or has otherwise; NULL: there is none. */
static const char *manifest_differs(const struct text_list *lines, const struct text_list *others)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *line = lines->items[i];
        const char *name = strlen(line) > SHA256_TEXT_BYTES ? line + SHA256_TEXT_BYTES + 1 : line;
        const char *other = manifest_line(others, name);
        if (line[0] != '\0' && (other == NULL || strcmp(line, other) != 0)) {
            return name;
        }
    }
    return NULL;
}

enum status manifest_verify(const char *directory, struct error *error)
{
    char *path = manifest_path(directory, MANIFEST_NAME);
    char *written = NULL;
    char *is = NULL;
    size_t size;
    struct text_list lines = {0};
    struct text_list now = {0};
    enum status status = file_read(path, &written, &size, error);
    if (status == STATUS_OK) {
        status = manifest_make(directory, &is, error);
    }
    if (status == STATUS_OK) {
        text_split(&lines, written, '\n');
        text_split(&now, is, '\n');
        const char *changed = manifest_differs(&lines, &now);
        const char *added = manifest_differs(&now, &lines);
        if (changed != NULL || added != NULL) {
            status =
                error_set(error, STATUS_CORRUPT, "%s: %s is not what it was when the run ended",
                          directory, changed != NULL ? changed : added);
        }
    }
    text_list_free(&lines);
    text_list_free(&now);
    free(written);
    free(is);
    free(path);
    return status;
}
