/* Runs a user's command once, with its tree watched. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_COMMAND_RUN_H
#define HEAPMILL_RUN_COMMAND_COMMAND_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/process.h"
#include "common/host/process_guard.h"
#include "common/status.h"
#include "run/command/tree.h"

/* Where the peak of memory was taken from. */
enum command_memory {
    COMMAND_MEMORY_TREE,   /* proportional shares of the whole tree, sampled */
    COMMAND_MEMORY_SINGLE, /* one process: its resident set's peak, which the kernel keeps */
    COMMAND_MEMORY_CGROUP, /* a control group's peak */
};

/* All borrowed. */
struct command_launch {
    const json_t *spec;  /* the plan's `try` (results/FORMAT.md) */
    const char *preload; /* "": none */
    const json_t *env;   /* object of strings over the user's environment; NULL: none */
    const char *more;    /* one further setting, "NAME=VALUE"; NULL */
    const char *library; /* as tree_watch's; NULL: who is reached is not asked */
    const struct process_guard *guard; /* NULL: none */
    enum command_memory memory;
    int output_fd; /* emptied, then written by the command */
    double timeout_s;
};

struct command_result {
    struct process_result process;
    struct tree_watch watch;
    uint64_t memory_bytes_peak; /* 0: not known */
    uint64_t memory_bytes_idle; /* of a server, some time after its load; 0: no server */
    char *problem;    /* why the run is no good although the command ended well; NULL: none */
    json_t *load;     /* of a server: what its load says, an object; NULL */
    uint64_t load_ns; /* of a server: the load's wall time */
};

/* Where the command's memory can be taken from on this machine: a control group, or the tree. */
enum command_memory command_memory_here(void);

/* "cgroup", "rss", "pss"; and back. */
const char *command_memory_word(enum command_memory memory);
enum command_memory command_memory_of_word(const char *word);

/* The words as one line that a shell would read so. The caller frees. */
char *command_words(const json_t *argv);

/* The command with its preparation; with a load, a server's whole life. STATUS_OK: it ran, well or
 * badly. STATUS_INTERRUPTED; STATUS_NOT_FOUND and STATUS_IO as process_run; STATUS_UNSUPPORTED: the
 * preparation failed. command_result_free in every case. */
enum status command_run(const struct command_launch *launch, struct command_result *result,
                        struct error *error);
void command_result_free(struct command_result *result);

/* Runs a line with sh; what it prints is captured. STATUS_OK: it ended with 0. STATUS_UNSUPPORTED:
 * it did not; the message has `what` and its last line. STATUS_INTERRUPTED. */
enum status command_shell(const char *what, const char *line, const char *input, double timeout_s,
                          struct error *error);

#endif
