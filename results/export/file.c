#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/export/export.h"

enum status export_file_open(struct export_file *file, const char *path, struct error *error)
{
    *file = (struct export_file){0};
    int length = snprintf(file->temporary, sizeof(file->temporary), "%s.XXXXXX", path);
    if (path[0] == '\0' || length < 0 || (size_t)length >= sizeof(file->temporary)) {
        return error_set(error, STATUS_INVALID, "\"%.100s\" is no name for a file", path);
    }
    memcpy(file->path, path, strlen(path) + 1);
    int descriptor = mkstemp(file->temporary);
    if (descriptor >= 0) {
        mode_t mask = umask(0);
        (void)umask(mask);
        (void)fchmod(descriptor, 0666 & ~mask); /* as a shell gives; mkstemp gave 0600 */
        file->file = fdopen(descriptor, "w");
    }
    if (file->file == NULL) {
        return error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

enum status export_file_commit(struct export_file *file, struct error *error)
{
    bool whole =
        fflush(file->file) == 0 && ferror(file->file) == 0 && fsync(fileno(file->file)) == 0;
    int cause = errno;
    if (fclose(file->file) != 0 && whole) {
        whole = false;
        cause = errno;
    }
    file->file = NULL;
    if (whole && rename(file->temporary, file->path) != 0) {
        whole = false;
        cause = errno;
    }
    if (!whole) {
        export_file_discard(file);
        return error_set(error, STATUS_IO, "cannot write %s: %s", file->path, strerror(cause));
    }
    return STATUS_OK;
}

void export_file_discard(struct export_file *file)
{
    if (file->file != NULL) {
        (void)fclose(file->file);
        file->file = NULL;
    }
    (void)unlink(file->temporary);
}
