/* A run as one archive: a tar file (POSIX.1-1988, "ustar") in a zstd frame, which `tar xf` unpacks
 * wherever zstd is, with the run's manifest in it. Nothing but the run is in it: no owner, and
 * every file has the mode 0644. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "common/host/text.h"
#include "results/export/export.h"
#include "results/manifest.h"

enum { TAR_BLOCK_BYTES = 512, TAR_NAME_BYTES = 100, ARTIFACT_LEVEL = 9 };

/* Sizes have eleven octal digits. */
static const off_t TAR_SIZE_MAX = ((off_t)1 << 33) - 1;

/* POSIX.1-1988, section 10.1.1. */
struct tar_header {
    char name[TAR_NAME_BYTES];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char modified[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char rest[247];
};

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_BYTES, "a header is one block");

struct artifact {
    struct export_file file;
    ZSTD_CCtx *zstd;
};

static enum status artifact_put(struct artifact *artifact, const void *bytes, size_t count,
                                ZSTD_EndDirective end, struct error *error)
{
    char out[1 << 16] = {0};
    ZSTD_inBuffer input = {bytes, count, 0};
    size_t left;
    do {
        ZSTD_outBuffer output = {out, sizeof(out), 0};
        left = ZSTD_compressStream2(artifact->zstd, &output, &input, end);
        if (ZSTD_isError(left) != 0) {
            return error_set(error, STATUS_NO_MEMORY, "%s", ZSTD_getErrorName(left));
        }
        if (fwrite(out, 1, output.pos, artifact->file.file) != output.pos) {
            return error_set(error, STATUS_IO, "cannot write %s: %s", artifact->file.path,
                             strerror(errno));
        }
    } while (end == ZSTD_e_end ? left > 0 : input.pos < input.size);
    return STATUS_OK;
}

static void tar_header_make(struct tar_header *header, const char *name, const struct stat *status)
{
    unsigned sum = 0;
    memset(header, 0, sizeof(*header));
    memcpy(header->name, name, strlen(name));
    (void)snprintf(header->mode, sizeof(header->mode), "%07o", 0644U);
    (void)snprintf(header->uid, sizeof(header->uid), "%07o", 0U);
    (void)snprintf(header->gid, sizeof(header->gid), "%07o", 0U);
    (void)snprintf(header->size, sizeof(header->size), "%011llo",
                   (unsigned long long)status->st_size);
    (void)snprintf(header->modified, sizeof(header->modified), "%011llo",
                   (unsigned long long)status->st_mtim.tv_sec);
    memset(header->checksum, ' ', sizeof(header->checksum)); /* as which it is summed */
    header->type = '0';
    memcpy(header->magic, "ustar", sizeof(header->magic));
    memset(header->version, '0', sizeof(header->version));
    for (size_t i = 0; i < sizeof(*header); i++) {
        sum += ((const unsigned char *)header)[i];
    }
    (void)snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
    header->checksum[7] = ' ';
}

/* The file's content, filled up to a whole block. */
static enum status artifact_add_content(struct artifact *artifact, FILE *file, const char *path,
                                        off_t size, struct error *error)
{
    static const char zeros[TAR_BLOCK_BYTES];
    char bytes[1 << 16];
    off_t left = size;
    enum status status = STATUS_OK;
    while (left > 0 && status == STATUS_OK) {
        size_t wanted = left < (off_t)sizeof(bytes) ? (size_t)left : sizeof(bytes);
        size_t got = fread(bytes, 1, wanted, file);
        if (got == 0) {
            return error_set(error, STATUS_IO, "%s got shorter while it was read", path);
        }
        status = artifact_put(artifact, bytes, got, ZSTD_e_continue, error);
        left -= (off_t)got;
    }
    size_t over = (size_t)(size % TAR_BLOCK_BYTES);
    return status == STATUS_OK && over > 0
               ? artifact_put(artifact, zeros, TAR_BLOCK_BYTES - over, ZSTD_e_continue, error)
               : status;
}

static enum status artifact_add(struct artifact *artifact, const char *directory,
                                const char *folder, const char *name, struct error *error)
{
    struct tar_header header;
    struct stat status;
    char *path = text_format("%s/%s", directory, name);
    char *inside = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    enum status outcome = STATUS_OK;
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        outcome = error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    } else if (strlen(inside) >= TAR_NAME_BYTES || status.st_size > TAR_SIZE_MAX) {
        outcome = error_set(error, STATUS_INVALID,
                            "%s: its name or its size is beyond what tar takes (99 bytes, 8 GiB): "
                            "rename the directory, or pack it with your own tar",
                            inside);
    } else {
        tar_header_make(&header, inside, &status);
        outcome = artifact_put(artifact, &header, sizeof(header), ZSTD_e_continue, error);
    }
    if (outcome == STATUS_OK) {
        outcome = artifact_add_content(artifact, file, path, status.st_size, error);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(path);
    free(inside);
    return outcome;
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

static enum status artifact_fill(struct artifact *artifact, const char *directory,
                                 struct error *error)
{
    static const char end[2 * TAR_BLOCK_BYTES];
    struct text_list names = {0};
    char *folder = artifact_folder(directory);
    enum status status = manifest_list(directory, &names, error);
    text_list_add(&names, text_format("%s", MANIFEST_NAME));
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        status = artifact_add(artifact, directory, folder, names.items[i], error);
    }
    if (status == STATUS_OK) {
        status = artifact_put(artifact, end, sizeof(end), ZSTD_e_end, error);
    }
    text_list_free(&names);
    free(folder);
    return status;
}

enum status export_artifact(const char *directory, const char *path, struct error *error)
{
    struct artifact artifact = {.zstd = NULL};
    enum status status = manifest_is_there(directory) ? manifest_verify(directory, error)
                                                      : manifest_write(directory, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = export_file_open(&artifact.file, path, error);
    if (status != STATUS_OK) {
        return status;
    }
    artifact.zstd = ZSTD_createCCtx();
    if (artifact.zstd == NULL) {
        status = error_set(error, STATUS_NO_MEMORY, "no memory for zstd");
    } else {
        (void)ZSTD_CCtx_setParameter(artifact.zstd, ZSTD_c_compressionLevel, ARTIFACT_LEVEL);
        (void)ZSTD_CCtx_setParameter(artifact.zstd, ZSTD_c_checksumFlag, 1);
        status = artifact_fill(&artifact, directory, error);
    }
    (void)ZSTD_freeCCtx(artifact.zstd);
    if (status != STATUS_OK) {
        export_file_discard(&artifact.file);
        return status;
    }
    return export_file_commit(&artifact.file, error);
}
