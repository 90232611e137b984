#include "common/host/process_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/text.h"

enum { PROCESS_DEPTH_MAX = 64 };

/* The fields of /proc/PID/stat after the name, counted from 0 (in proc(5) the state has number
 * 3). */
enum {
    STAT_PARENT = 1,
    STAT_USER = 11,
    STAT_SYSTEM = 12,
    STAT_CHILDREN_USER = 13,
    STAT_CHILDREN_SYSTEM = 14,
    STAT_FIELDS = 15,
};

/* Parses the fields. The name may contain blanks and parentheses, so they begin after the last
 * parenthesis. */
static bool process_tree_parse(char *text, long fields[STAT_FIELDS])
{
    char *rest = strrchr(text, ')');
    if (rest == NULL || rest[1] != ' ' || rest[2] == '\0') {
        return false;
    }
    rest += 3; /* after the state, which is a letter */
    fields[0] = 0;
    for (size_t i = 1; i < STAT_FIELDS; i++) {
        char *end;
        fields[i] = strtol(rest, &end, 10);
        if (end == rest) {
            return false;
        }
        rest = end;
    }
    return true;
}

static void process_tree_add(struct process_tree *tree, pid_t pid)
{
    char path[64];
    char text[1024];
    long fields[STAT_FIELDS];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    size_t length = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    text[length] = '\0';
    if (length == 0 || !process_tree_parse(text, fields)) {
        return; /* it has ended meanwhile */
    }
    uint64_t ticks = (uint64_t)(fields[STAT_USER] + fields[STAT_SYSTEM] +
                                fields[STAT_CHILDREN_USER] + fields[STAT_CHILDREN_SYSTEM]);
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    tree->processes = text_grow(tree->processes, tree->count + 1, sizeof(*tree->processes));
    tree->processes[tree->count++] =
        (struct process_entry){.pid = pid,
                               .parent = (pid_t)fields[STAT_PARENT],
                               .cpu_ns = ticks * (UINT64_C(1000000000) / per_second)};
}

void process_tree_read(struct process_tree *tree)
{
    *tree = (struct process_tree){.processes = NULL};
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            process_tree_add(tree, (pid_t)strtol(entry->d_name, NULL, 10));
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

void process_tree_free(struct process_tree *tree)
{
    free(tree->processes);
    *tree = (struct process_tree){.processes = NULL};
}

static const struct process_entry *process_tree_find(const struct process_tree *tree, pid_t pid)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->processes[i].pid == pid) {
            return &tree->processes[i];
        }
    }
    return NULL;
}

static bool process_tree_descends(const struct process_tree *tree,
                                  const struct process_entry *process, pid_t root)
{
    for (size_t depth = 0; process != NULL && depth < PROCESS_DEPTH_MAX; depth++) {
        if (process->pid == root) {
            return true;
        }
        process = process_tree_find(tree, process->parent);
    }
    return false;
}

uint64_t process_tree_cpu_ns(const struct process_tree *tree, pid_t root)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < tree->count; i++) {
        if (process_tree_descends(tree, &tree->processes[i], root)) {
            sum += tree->processes[i].cpu_ns;
        }
    }
    return sum;
}

void process_tree_kill(const struct process_tree *tree, pid_t root)
{
    (void)kill(root, SIGKILL);
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->processes[i].pid != root &&
            process_tree_descends(tree, &tree->processes[i], root)) {
            (void)kill(tree->processes[i].pid, SIGKILL);
        }
    }
}
