/* Runs the heapmill program as a user does, in a directory of its own, and reads what it left. For
 * tests only: everything ends the test when it fails. */
#ifndef HEAPMILL_CLI_TESTS_CLI_FIXTURE_H
#define HEAPMILL_CLI_TESTS_CLI_FIXTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a program run left behind; fixture_outcome_free. */
struct fixture_outcome {
    int status; /* exit status, or 128 + signal */
    char *out;
    char *err;
};

/* Makes a temporary directory, the current one from now on, and points HOME at it: workers inherit
 * HOME, so that this test's are told from those of a test beside it. Removed at exit. */
void fixture_enter(void);

/* Starts heapmill with arguments (ending with NULL; without "heapmill"), stdout and stderr into the
 * files out.txt and err.txt. file_limit: the largest file that it may write; 0: any. */
pid_t fixture_start(const char *const *arguments, size_t file_limit);

/* Waits for it: its exit status, or 128 + signal. */
int fixture_wait(pid_t pid);

/* fixture_start, fixture_wait, and what it printed. */
struct fixture_outcome fixture_run(const char *const *arguments);
void fixture_outcome_free(struct fixture_outcome *outcome);

/* Fails, with what was printed, unless that was the exit status. Takes the outcome. */
void fixture_expect(struct fixture_outcome outcome, int status);

/* The JSON that a run printed, with that exit status; the caller's. Fails where it is none. */
json_t *fixture_json(const struct fixture_outcome *outcome, int status);

/* The whole file as text; "" if there is none. The caller frees. */
char *fixture_read(const char *path);

/* An array of the JSON objects of a file's whole lines; fails on a line that is not one. A last
 * line without its newline is left out. */
json_t *fixture_read_lines(const char *path);

/* Processes that are this test's (HOME), heapmill and workers alike; waits up to a second for them
 * to end. */
size_t fixture_count_processes(void);

/* One of this test's processes that has the name (the first 15 characters, as the kernel keeps it);
 * 0 if there is none. */
pid_t fixture_find_process(const char *name);

/* A member of a record as text; "" if it is none. Borrowed. */
const char *fixture_text(const json_t *object, const char *name);

/* Records whose member is the text. */
size_t fixture_count_records(const json_t *records, const char *name, const char *text);

#endif
