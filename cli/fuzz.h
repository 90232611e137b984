/* The subcommands of `heapmill fuzz`, one file each, and what they share. */
#ifndef HEAPMILL_CLI_FUZZ_H
#define HEAPMILL_CLI_FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "common/host/text.h"
#include "common/status.h"

extern const struct command fuzz_list_command;
extern const struct command fuzz_build_command;
extern const struct command fuzz_run_command;
extern const struct command fuzz_regress_command;
extern const struct command fuzz_fmt_command;
extern const struct command fuzz_triage_command;
extern const struct command fuzz_cmin_command;
extern const struct command fuzz_tmin_command;
extern const struct command fuzz_coverage_command;
extern const struct command fuzz_score_command;
extern const struct command fuzz_plot_command;
extern const struct command fuzz_speed_command;

/* "heapmill fuzz NAME: message", and what `what` says of the argument that was wrong. Returns
 * EXIT_USAGE. argument may be NULL. */
int fuzz_refuse(const char *name, const char *what, const char *argument);

/* Prints the error of a subcommand; the exit status that goes with it. */
int fuzz_report(const char *name, const struct error *error);

/* The target whose input a file is: by the campaign that it lies in (then *backend is set to that
 * one's, if it was NULL; it lives until the program ends), or by its directory's name, as below
 * fuzz/corpus. NULL if neither says. The caller frees. */
char *fuzz_owner_of(const char *input, const char **backend);

/* What the user typed, for figures and plans. The caller frees. */
char *fuzz_command_line(int argc, char **argv);

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
