#include "run/command/tally_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"

enum status tally_files_open(struct tally_files *files, struct error *error)
{
    const char *parent = getenv("TMPDIR");
    *files = (struct tally_files){
        .directory = text_format("%s/heapmill-tally-XXXXXX", parent != NULL ? parent : "/tmp")};
    if (mkdtemp(files->directory) == NULL) {
        enum status status =
            error_set(error, STATUS_IO, "%s: %m; set TMPDIR to a directory that can be written",
                      files->directory);
        free(files->directory);
        files->directory = NULL;
        return status;
    }
    return STATUS_OK;
}

static bool tally_is_whole(const char *bytes, size_t size)
{
    return size == sizeof(struct tally) && memcmp(bytes, TALLY_MAGIC, sizeof(TALLY_MAGIC)) == 0;
}

void tally_files_read(struct tally_files *files)
{
    struct text_list names = {0};
    file_list_names(files->directory, &names);
    files->count = 0;
    for (size_t i = 0; i < names.count; i++) {
        struct error error;
        char *bytes = NULL;
        size_t size = 0;
        char *path = text_format("%s/%s", files->directory, names.items[i]);
        if (file_read(path, &bytes, &size, &error) == STATUS_OK && tally_is_whole(bytes, size)) {
            files->processes =
                text_grow(files->processes, files->count + 1, sizeof(*files->processes));
            memcpy(&files->processes[files->count++], bytes, size);
        }
        free(bytes);
        free(path);
    }
    text_list_free(&names);
}

void tally_files_close(struct tally_files *files)
{
    struct text_list names = {0};
    if (files->directory != NULL) {
        file_list_names(files->directory, &names);
        for (size_t i = 0; i < names.count; i++) {
            char *path = text_format("%s/%s", files->directory, names.items[i]);
            (void)unlink(path);
            free(path);
        }
        (void)rmdir(files->directory);
    }
    text_list_free(&names);
    free(files->directory);
    free(files->processes);
    *files = (struct tally_files){.directory = NULL};
}

const struct tally *tally_files_main(const struct tally_files *files)
{
    const struct tally *most = NULL;
    for (size_t i = 0; i < files->count; i++) {
        if (most == NULL || files->processes[i].asked_bytes > most->asked_bytes) {
            most = &files->processes[i];
        }
    }
    return most;
}
