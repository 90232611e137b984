/* Reads the files that libheapmill-tally.so wrote (preload/tally.h). One thread. */
#ifndef HEAPMILL_RUN_COMMAND_TALLY_FILE_H
#define HEAPMILL_RUN_COMMAND_TALLY_FILE_H

#include <stddef.h>

#include "common/host/scratch.h"
#include "preload/tally.h"

struct tally_files {
    struct scratch directory;
    struct tally *processes; /* as of the last tally_files_read */
    size_t count;
};

/* Makes a directory for the files. tally_files_close removes it with its files. STATUS_IO. */
enum status tally_files_open(struct tally_files *files, struct error *error);
void tally_files_read(struct tally_files *files);
void tally_files_close(struct tally_files *files);

/* The process that asked for the most bytes; NULL: there is no process. */
const struct tally *tally_files_main(const struct tally_files *files);

#endif
