/* Files that campaigns share: whose input one is, and how they are read and written. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_FILES_H
#define HEAPMILL_FUZZ_CAMPAIGN_FILES_H

#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

/* The target whose input a file is: by the campaign that it lies in (then *backend is set to that
 * one's, if it was NULL; it lives until the program ends), or by its directory's name, as below
 * fuzz/corpus. NULL if neither says. The caller frees. */
char *fuzz_owner_of(const char *input, const char **backend);

/* Entries of a directory that are regular files, in byte order; empty where it cannot be read. The
 * names, not the paths. */
void fuzz_list_files(const char *directory, struct text_list *names);

/* The whole file. STATUS_IO. The caller frees *bytes, which has a zero behind. */
enum status fuzz_read_file(const char *path, char **bytes, size_t *size, struct error *error);

/* Whole or not at all. STATUS_IO. */
enum status fuzz_write_file(const char *path, const void *bytes, size_t size, struct error *error);

/* mkdir -p. */
enum status fuzz_make_directory(const char *path, struct error *error);

/* The path of a program in PATH, NULL if it is in none of its directories. The caller frees. */
char *fuzz_find_program(const char *program);

#endif
