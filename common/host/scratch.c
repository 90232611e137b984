#include "common/host/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"

/* A directory younger than this may have been made but not locked yet, and is not removed. */
enum { SCRATCH_YOUNG_S = 60 };

/* Locks a directory of this user. -1: somebody holds the lock, or it is no such directory. */
static int scratch_lock(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static void scratch_remove_if_dead(const char *path)
{
    struct stat about;
    if (lstat(path, &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != geteuid() ||
        about.st_mtime + SCRATCH_YOUNG_S > time(NULL)) {
        return;
    }
    int fd = scratch_lock(path);
    if (fd >= 0) {
        file_remove_tree(path);
        (void)close(fd);
    }
}

static void scratch_remove_dead(const char *parent, const char *prefix)
{
    DIR *directory = opendir(parent);
    if (directory == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            char *path = text_format("%s/%s", parent, entry->d_name);
            scratch_remove_if_dead(path);
            free(path);
        }
    }
    (void)closedir(directory);
}

enum status scratch_open(struct scratch *scratch, const char *parent, const char *word,
                         struct error *error)
{
    const char *asked = getenv("TMPDIR");
    if (parent == NULL) {
        parent = asked != NULL && *asked != '\0' ? asked : "/tmp";
    }
    char *prefix = text_format("heapmill-%s-", word);
    *scratch = (struct scratch){.path = text_format("%s/%sXXXXXX", parent, prefix), .fd = -1};
    scratch_remove_dead(parent, prefix);
    free(prefix);
    enum status status = STATUS_OK;
    if (mkdtemp(scratch->path) == NULL) {
        status = error_set(error, STATUS_IO,
                           "%s: %m; set TMPDIR to a directory that can be written", scratch->path);
        free(scratch->path);
        scratch->path = NULL;
    } else {
        scratch->fd = scratch_lock(scratch->path);
    }
    return status;
}

void scratch_close(struct scratch *scratch)
{
    if (scratch->path != NULL) {
        file_remove_tree(scratch->path);
        free(scratch->path);
    }
    if (scratch->fd >= 0) {
        (void)close(scratch->fd);
    }
    *scratch = (struct scratch){.fd = -1};
}
