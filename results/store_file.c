#include "results/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum status store_file_path(char path[STORE_PATH_MAX], const char *directory, const char *name,
                            struct error *error)
{
    int length = snprintf(path, STORE_PATH_MAX, "%s/%s", directory, name);
    if (directory[0] == '\0' || length < 0 || length >= STORE_PATH_MAX) {
        return error_set(error, STATUS_INVALID, "the directory's name is empty or too long");
    }
    return STATUS_OK;
}

enum status store_file_make_directory(const char *directory, struct error *error)
{
    char path[STORE_PATH_MAX];
    enum status status = store_file_path(path, directory, "", error);
    if (status != STATUS_OK) {
        return status;
    }
    /* path ends with a slash, so that the last name is made by the same loop. */
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return error_set(error, STATUS_IO, "cannot make the directory %s: %s", path,
                             strerror(errno));
        }
        *slash = '/';
    }
    return STATUS_OK;
}

enum status store_file_sync_directory(const char *directory, struct error *error)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(error, STATUS_IO, "cannot open %s: %s", directory, strerror(errno));
    }
    int failed = fsync(fd);
    int reason = errno;
    close(fd);
    /* Some file systems do not sync directories and say so. */
    if (failed != 0 && reason != EINVAL) {
        return error_set(error, STATUS_IO, "cannot sync %s: %s", directory, strerror(reason));
    }
    return STATUS_OK;
}

enum status store_file_write(int fd, const char *path, const void *bytes, size_t count,
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
    if (fsync(fd) != 0) {
        return error_set(error, STATUS_IO, "cannot sync %s: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

/* The first half of store_file_replace: what is there when it fails is only the temporary file. */
static enum status store_file_write_new(const char *path, const void *bytes, size_t count,
                                        struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return error_set(error, STATUS_IO, "cannot create %s: %s", path, strerror(errno));
    }
    enum status status = store_file_write(fd, path, bytes, count, error);
    close(fd);
    return status;
}

enum status store_file_replace(const char *directory, const char *name, const void *bytes,
                               size_t count, struct error *error)
{
    char path[STORE_PATH_MAX];
    char temporary[STORE_PATH_MAX];
    enum status status = store_file_path(path, directory, name, error);
    if (status != STATUS_OK) {
        return status;
    }
    int length = snprintf(temporary, sizeof(temporary), "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof(temporary)) {
        return error_set(error, STATUS_INVALID, "the directory's name is too long");
    }
    status = store_file_write_new(temporary, bytes, count, error);
    if (status == STATUS_OK && rename(temporary, path) != 0) {
        status = error_set(error, STATUS_IO, "cannot rename %s: %s", temporary, strerror(errno));
    }
    if (status != STATUS_OK) {
        (void)unlink(temporary);
        return status;
    }
    return store_file_sync_directory(directory, error);
}

enum status store_file_lock(const char *directory, int *fd, struct error *error)
{
    char path[STORE_PATH_MAX];
    char holder[32] = "";
    enum status status = store_file_path(path, directory, "lock", error);
    if (status != STATUS_OK) {
        return status;
    }
    /* Close-on-exec: a worker must not hold the lock after its heapmill died. */
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) {
        return error_set(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        int reason = errno;
        ssize_t got = pread(*fd, holder, sizeof(holder) - 1, 0);
        long process = got > 0 ? strtol(holder, NULL, 10) : 0;
        close(*fd);
        if (reason != EWOULDBLOCK) {
            return error_set(error, STATUS_IO, "cannot lock %s: %s", path, strerror(reason));
        }
        return error_set(error, STATUS_BUSY,
                         "%s is being written by another heapmill, process %ld: wait for it, or "
                         "choose another directory with -o",
                         directory, process);
    }
    int length = snprintf(holder, sizeof(holder), "%ld\n", (long)getpid());
    /* The id is for people only: the lock holds without it. */
    if (ftruncate(*fd, 0) != 0 || pwrite(*fd, holder, (size_t)length, 0) != length) {
        (void)ftruncate(*fd, 0);
    }
    return STATUS_OK;
}
