#include "common/host/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_READ_STEP = 1 << 16 };

enum status file_read(const char *path, char **bytes, size_t *size, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? 1 : -1;
    *bytes = NULL;
    *size = 0;
    while (got > 0 || (got < 0 && fd >= 0 && errno == EINTR)) {
        *bytes = text_grow(*bytes, *size + FILE_READ_STEP + 1, 1);
        got = read(fd, *bytes + *size, FILE_READ_STEP);
        *size += got > 0 ? (size_t)got : 0;
    }
    int reason = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (got < 0) {
        free(*bytes);
        *bytes = NULL;
        return error_set(error, reason == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         "cannot read %s: %s", path, strerror(reason));
    }
    (*bytes)[*size] = '\0';
    return STATUS_OK;
}

enum status file_read_part(int fd, uint64_t offset, size_t count, char **bytes, struct error *error)
{
    *bytes = text_grow(NULL, count + 1, 1);
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(fd, *bytes + done, count - done, (off_t)(offset + done));
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            const char *reason = got < 0 ? strerror(errno) : "the file has become shorter";
            free(*bytes);
            *bytes = NULL;
            return error_set(error, STATUS_IO, "cannot read %zu bytes: %s", count, reason);
        }
        done += got > 0 ? (size_t)got : 0;
    }
    (*bytes)[count] = '\0';
    return STATUS_OK;
}

static enum status file_put(int fd, const char *path, const void *bytes, size_t count,
                            struct error *error)
{
    const char *rest = bytes;
    while (count > 0) {
        ssize_t written = write(fd, rest, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
        }
        rest += written;
        count -= (size_t)written;
    }
    return STATUS_OK;
}

enum status file_append(int fd, const char *path, const void *bytes, size_t count,
                        struct error *error)
{
    enum status status = file_put(fd, path, bytes, count, error);
    if (status == STATUS_OK && fsync(fd) != 0) {
        status = error_set(error, STATUS_IO, "cannot sync %s: %s", path, strerror(errno));
    }
    return status;
}

/* The parent directory of a path. The caller frees it. */
static char *file_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL   ? text_format(".")
           : slash == path ? text_format("/")
                           : text_format("%.*s", (int)(slash - path), path);
}

static enum status file_exchange(const char *path, const void *bytes, size_t size, bool durable,
                                 struct error *error)
{
    char *temporary = text_format("%s.tmp", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    enum status status = STATUS_OK;
    if (fd < 0) {
        status = error_set(error, STATUS_IO, "cannot create %s: %s", path, strerror(errno));
    } else {
        status = durable ? file_append(fd, path, bytes, size, error)
                         : file_put(fd, path, bytes, size, error);
        if (close(fd) != 0 && status == STATUS_OK) {
            status = error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
        }
        if (status == STATUS_OK && rename(temporary, path) != 0) {
            status =
                error_set(error, STATUS_IO, "cannot rename %s: %s", temporary, strerror(errno));
        }
        if (status != STATUS_OK) {
            (void)unlink(temporary);
        }
    }
    free(temporary);
    return status;
}

enum status file_write(const char *path, const void *bytes, size_t size, struct error *error)
{
    return file_exchange(path, bytes, size, false, error);
}

enum status file_replace(const char *path, const void *bytes, size_t size, struct error *error)
{
    enum status status = file_exchange(path, bytes, size, true, error);
    if (status == STATUS_OK) {
        char *directory = file_parent(path);
        status = file_sync_directory(directory, error);
        free(directory);
    }
    return status;
}

enum status file_make_directory(const char *path, struct error *error)
{
    if (path[0] == '\0') {
        return error_set(error, STATUS_INVALID, "the directory's name is empty");
    }
    enum status status = STATUS_OK;
    char *name =
        text_format("%s/", path); /* with the final slash the loop makes the last component too */
    for (char *slash = strchr(name + 1, '/'); slash != NULL && status == STATUS_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(name, 0777) != 0 && errno != EEXIST) {
            status = error_set(error, STATUS_IO, "cannot make the directory %s: %s", name,
                               strerror(errno));
        }
        *slash = '/';
    }
    free(name);
    return status;
}

enum status file_sync_directory(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    }
    int failed = fsync(fd);
    int reason = errno;
    (void)close(fd);
    /* Some file systems cannot sync directories, and say so. */
    if (failed != 0 && reason != EINVAL) {
        return error_set(error, STATUS_IO, "cannot sync %s: %s", path, strerror(reason));
    }
    return STATUS_OK;
}

enum status file_lock_directory(const char *directory, int *fd, struct error *error)
{
    char holder[32] = "";
    enum status status = STATUS_OK;
    char *path = text_format("%s/lock", directory);
    /* Close-on-exec, so that a child does not hold the lock after heapmill has died. */
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) {
        status = error_set(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    } else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        int reason = errno;
        ssize_t got = pread(*fd, holder, sizeof(holder) - 1, 0);
        long process = got > 0 ? strtol(holder, NULL, 10) : 0;
        (void)close(*fd);
        *fd = -1;
        status = reason != EWOULDBLOCK
                     ? error_set(error, STATUS_IO, "cannot lock %s: %s", path, strerror(reason))
                     : error_set(error, STATUS_BUSY,
                                 "%s is being written by another heapmill, process %ld: wait for "
                                 "it, or choose another directory with -o",
                                 directory, process);
    } else {
        int length = snprintf(holder, sizeof(holder), "%ld\n", (long)getpid());
        /* The id is only for people; the lock holds without it. */
        if (ftruncate(*fd, 0) != 0 || pwrite(*fd, holder, (size_t)length, 0) != length) {
            (void)ftruncate(*fd, 0);
        }
    }
    free(path);
    return status;
}

static int file_compare_names(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

void file_list_names(const char *directory, struct text_list *names)
{
    size_t before = names->count;
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
    if (names->count > before) {
        // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
        qsort(names->items + before, names->count - before, sizeof(*names->items),
              file_compare_names);
    }
}

char *file_find_program(const char *program)
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

enum { FILE_TREE_OPEN_MAX = 16 };

static int file_remove_entry(const char *path, const struct stat *status, int type,
                             struct FTW *position)
{
    (void)status;
    (void)type;
    (void)position;
    return remove(path);
}

void file_remove_tree(const char *path)
{
    (void)nftw(path, file_remove_entry, FILE_TREE_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}
