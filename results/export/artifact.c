/* A run as one archive: a tar file (POSIX.1-2001, "pax") in a zstd frame, which `tar xf` unpacks
 * wherever zstd is, with the run's manifest in it. It has nothing but the run: no owner, and every
 * file has the mode 0644. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/host/text.h"
#include "results/export/export.h"
#include "results/manifest.h"

static enum status artifact_fails(struct archive *archive, struct error *error)
{
    const char *why = archive_error_string(archive);
    return error_set(error, STATUS_IO, "the archive cannot be written: %s",
                     why != NULL ? why : "no memory");
}

static enum status artifact_add_content(struct archive *archive, FILE *file, const char *path,
                                        struct error *error)
{
    char bytes[1 << 16];
    for (size_t got; (got = fread(bytes, 1, sizeof(bytes), file)) > 0;) {
        if (archive_write_data(archive, bytes, got) != (la_ssize_t)got) {
            return error_set(error, STATUS_IO, "%s was changed while it was read", path);
        }
    }
    return ferror(file) == 0
               ? STATUS_OK
               : error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
}

static enum status artifact_add(struct archive *archive, const char *directory, const char *folder,
                                const char *name, struct error *error)
{
    struct stat about;
    char *path = text_format("%s/%s", directory, name);
    char *inside = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    enum status status = STATUS_OK;
    if (file == NULL || fstat(fileno(file), &about) != 0) {
        status = error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    } else {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, inside);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, about.st_size);
        archive_entry_set_mtime(entry, about.st_mtim.tv_sec, 0);
        status = archive_write_header(archive, entry) == ARCHIVE_OK
                     ? artifact_add_content(archive, file, path, error)
                     : artifact_fails(archive, error);
        archive_entry_free(entry);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(path);
    free(inside);
    return status;
}

/* The name that the run unpacks to: the directory's own. The caller frees. */
static char *artifact_folder(const char *directory)
{
    char *whole = realpath(directory, NULL);
    const char *slash = whole != NULL ? strrchr(whole, '/') : NULL;
    char *folder = text_format("%s", slash != NULL && slash[1] != '\0' ? slash + 1 : "run");
    free(whole);
    return folder;
}

static enum status artifact_fill(struct archive *archive, FILE *file, const char *directory,
                                 struct error *error)
{
    struct text_list names = {0};
    char *folder = artifact_folder(directory);
    enum status status = STATUS_OK;
    if (archive_write_set_format_pax_restricted(archive) != ARCHIVE_OK ||
        archive_write_add_filter_zstd(archive) != ARCHIVE_OK ||
        archive_write_set_options(archive, "zstd:compression-level=9") != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(archive, 1) !=
            ARCHIVE_OK || /* zstd takes no padding */
        archive_write_open_FILE(archive, file) != ARCHIVE_OK) {
        status = artifact_fails(archive, error);
    }
    if (status == STATUS_OK) {
        status = manifest_list(directory, &names, error);
        text_list_add(&names, text_format("%s", MANIFEST_NAME));
    }
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        status = artifact_add(archive, directory, folder, names.items[i], error);
    }
    if (status == STATUS_OK && archive_write_close(archive) != ARCHIVE_OK) {
        status = artifact_fails(archive, error);
    }
    text_list_free(&names);
    free(folder);
    return status;
}

enum status export_artifact(const char *directory, const char *path, struct error *error)
{
    struct export_file file;
    enum status status = manifest_is_there(directory) ? manifest_verify(directory, error)
                                                      : manifest_write(directory, error);
    if (status == STATUS_OK) {
        status = export_file_open(&file, path, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct archive *archive = archive_write_new();
    status = archive != NULL ? artifact_fill(archive, file.file, directory, error)
                             : error_set(error, STATUS_NO_MEMORY, "no memory for an archive");
    (void)archive_write_free(archive);
    if (status != STATUS_OK) {
        export_file_discard(&file);
        return status;
    }
    return export_file_commit(&file, error);
}
