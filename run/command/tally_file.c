#include "run/command/tally_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/text.h"

enum status tally_files_open(struct tally_files *files, struct error *error)
{
    *files = (struct tally_files){.count = 0};
    return scratch_open(&files->directory, NULL, "tally", error);
}

static bool tally_is_whole(const char *bytes, size_t size)
{
    return size == sizeof(struct tally) && memcmp(bytes, TALLY_MAGIC, sizeof(TALLY_MAGIC)) == 0;
}

void tally_files_read(struct tally_files *files)
{
    struct text_list names = {0};
    file_list_names(files->directory.path, &names);
    files->count = 0;
    for (size_t i = 0; i < names.count; i++) {
        struct error error;
        char *bytes = NULL;
        size_t size = 0;
        char *path = text_format("%s/%s", files->directory.path, names.items[i]);
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
    scratch_close(&files->directory);
    free(files->processes);
    files->processes = NULL;
    files->count = 0;
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
