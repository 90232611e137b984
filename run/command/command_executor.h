/* The executor whose cells are a user's command, each under another allocator: `heapmill try`.
 *
 * Before the first round it inspects the command: whether a preloaded library reaches it, which
 * library serves its malloc, what it prints and how it ends. The plan's `try` gets the answers
 * (results/FORMAT.md). */
#ifndef HEAPMILL_RUN_COMMAND_COMMAND_EXECUTOR_H
#define HEAPMILL_RUN_COMMAND_COMMAND_EXECUTOR_H

#include "common/host/process_guard.h"
#include "run/executor.h"
#include "run/registry.h"

struct command_executor {
    struct executor executor;
    const struct registry *registry;
    const struct process_guard *guard; /* NULL: none */
    const char *directory;             /* of the run; outputs that differ are kept in it */
    const json_t *spec;                /* the plan's `try`, while the plan is made */
    int output_fd;
};

/* Everything is borrowed until command_executor_close. STATUS_IO. */
enum status command_executor_open(struct command_executor *command, const struct registry *registry,
                                  const struct process_guard *guard, const char *directory,
                                  struct error *error);
void command_executor_close(struct command_executor *command);

#endif
