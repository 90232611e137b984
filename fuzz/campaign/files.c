/* Small helpers for files that the subcommands share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/campaign/files.h"
#include "results/store_file.h"

static int fuzz_compare_names(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

void fuzz_list_files(const char *directory, struct text_list *names)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        struct stat status;
        if (fstatat(dirfd(stream), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode)) {
            text_list_add(names, text_format("%s", entry->d_name));
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    if (names->count > 0) {
        // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
        qsort(names->items, names->count, sizeof(*names->items), fuzz_compare_names);
    }
}

enum status fuzz_read_file(const char *path, char **bytes, size_t *size, struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file >= 0 ? 1 : -1;
    *bytes = text_format("%s", "");
    *size = 0;
    while (count > 0) {
        *bytes = text_grow(*bytes, *size + 65537, 1);
        count = read(file, *bytes + *size, 65536);
        *size += count > 0 ? (size_t)count : 0;
    }
    (*bytes)[*size] = '\0';
    enum status status =
        count == 0 ? STATUS_OK
                   : error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    if (file >= 0) {
        (void)close(file);
    }
    return status;
}

enum status fuzz_write_file(const char *path, const void *bytes, size_t size, struct error *error)
{
    char *temporary = text_format("%s.tmp", path);
    FILE *file = fopen(temporary, "we");
    bool good = file != NULL && fwrite(bytes, 1, size, file) == size;
    good = file != NULL && fclose(file) == 0 && good;
    good = good && rename(temporary, path) == 0;
    enum status status =
        good ? STATUS_OK
             : error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
    if (!good) {
        (void)unlink(temporary);
    }
    free(temporary);
    return status;
}

enum status fuzz_make_directory(const char *path, struct error *error)
{
    return store_file_make_directory(path, error);
}

char *fuzz_find_program(const char *program)
{
    struct text_list directories = {0};
    const char *path = getenv("PATH");
    char *found = NULL;
    text_split(&directories, path != NULL ? path : "/usr/bin:/bin", ':');
    for (size_t i = 0; i < directories.count && found == NULL; i++) {
        char *candidate = text_format("%s/%s", directories.items[i], program);
        if (access(candidate, X_OK) == 0) {
            found = candidate;
        } else {
            free(candidate);
        }
    }
    text_list_free(&directories);
    return found;
}
