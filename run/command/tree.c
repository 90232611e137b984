#include "run/command/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    TREE_PAUSE_NS_MIN = 2000000,
    TREE_PAUSE_PER_COST =
        200, /* pause = this many times the cost of a look: half a per cent of a processor */
    TREE_TEXT_BYTES = 1 << 14,
    TREE_PROCESSES_MAX = 4096,
};

/* Reads a file of /proc, at most size - 1 bytes. false: the process has ended, or belongs to
 * another user. */
static bool tree_read(pid_t pid, const char *name, char *text, size_t size)
{
    char path[320];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t filled = 0;
    ssize_t count = 0;
    while (fd >= 0 && filled < size - 1 &&
           (count = read(fd, text + filled, size - 1 - filled)) > 0) {
        filled += (size_t)count;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    text[filled] = '\0';
    return filled > 0;
}

static void tree_add(pid_t **pids, size_t *count, pid_t pid)
{
    if (*count < TREE_PROCESSES_MAX) {
        *pids = text_grow(*pids, *count + 1, sizeof(**pids));
        (*pids)[(*count)++] = pid;
    }
}

static bool tree_has(const pid_t *pids, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++) {
        if (pids[i] == pid) {
            return true;
        }
    }
    return false;
}

/* The parent's number; 0: the process has ended. The name may contain blanks and parentheses, so
 * the fields are read after the last parenthesis. */
static pid_t tree_parent(pid_t pid)
{
    char text[512];
    const char *rest = tree_read(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
    return rest != NULL && strlen(rest) > 4 ? (pid_t)strtol(rest + 4, NULL, 10) : 0;
}

/* Finds the descendants of this process that are part of the command. A process that was once found
 * to be a stranger is not read again, so that a look is cheap on a machine with many processes.
 * Parents have lower numbers than their children and are listed first. A child may be missed after
 * the numbers have wrapped around. */
static void tree_find(struct tree_watch *watch, pid_t **members, size_t *count)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (!isdigit((unsigned char)entry->d_name[0]) || pid == watch->except ||
            pid == watch->load || tree_has(watch->strangers, watch->stranger_count, pid)) {
            continue;
        }
        pid_t parent = tree_parent(pid);
        if (parent == getpid() || tree_has(*members, *count, parent)) {
            tree_add(members, count, pid);
        } else if (parent != 0) {
            tree_add(&watch->strangers, &watch->stranger_count, pid);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

/* The number after "NAME:", which is in kB, as bytes. */
static uint64_t tree_bytes(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    return found != NULL ? strtoull(found + strlen(name), NULL, 10) * 1024 : 0;
}

static void tree_note_unreached(struct tree_watch *watch, pid_t pid)
{
    char link[64];
    char program[PATH_MAX];
    static char maps[1 << 20];
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(link, program, sizeof(program) - 1);
    if (length <= 0) {
        return;
    }
    program[length] = '\0';
    /* A process that has not yet mapped its libraries looks as if it had not been reached: skip
     * it. */
    if (!tree_read(pid, "maps", maps, sizeof(maps)) || strstr(maps, watch->library) != NULL ||
        (strstr(maps, "/ld-linux") != NULL && strstr(maps, "libc.so") == NULL)) {
        return;
    }
    for (size_t i = 0; i < watch->unreached.count; i++) {
        if (strcmp(watch->unreached.items[i], program) == 0) {
            return;
        }
    }
    text_list_add(&watch->unreached, text_format("%s", program));
}

/* The sum over the statuses of a tree's processes. */
struct tree_sum {
    uint64_t anonymous_bytes;
    uint64_t file_bytes_most; /* the largest of one process, since the others mostly map the same
                                 files */
    size_t alive;
};

static void tree_look_at(struct tree_watch *watch, pid_t pid, struct tree_sum *sum)
{
    char text[TREE_TEXT_BYTES];
    if (!tree_read(pid, "status", text, sizeof(text)) || strstr(text, "VmHWM:") == NULL) {
        return; /* it has ended */
    }
    uint64_t peak = tree_bytes(text, "VmHWM:");
    uint64_t file = tree_bytes(text, "RssFile:");
    watch->rss_bytes_peak = peak > watch->rss_bytes_peak ? peak : watch->rss_bytes_peak;
    sum->file_bytes_most = file > sum->file_bytes_most ? file : sum->file_bytes_most;
    sum->anonymous_bytes += tree_bytes(text, "RssAnon:") + tree_bytes(text, "VmSwap:");
    sum->alive++;
    if (watch->library != NULL) {
        tree_note_unreached(watch, pid);
    }
}

/* Adds up the proportional shares, and keeps their difference from the anonymous pages, which are
 * cheap to read. */
static void tree_add_shares(struct tree_watch *watch, const pid_t *members, size_t count,
                            uint64_t anonymous_bytes)
{
    char text[TREE_TEXT_BYTES];
    uint64_t shares = 0;
    uint64_t begin_ns = clock_thread_cpu_ns();
    for (size_t i = 0; i < count; i++) {
        if (tree_read(members[i], "smaps_rollup", text, sizeof(text))) {
            shares += tree_bytes(text, "\nPss:") + tree_bytes(text, "\nSwapPss:");
        }
    }
    watch->shares_cost_ns = clock_thread_cpu_ns() - begin_ns;
    watch->shares_cost_sum_ns += watch->shares_cost_ns;
    watch->shares_anonymous_bytes = anonymous_bytes;
    watch->shares_difference = (int64_t)shares - (int64_t)anonymous_bytes;
    watch->shares_known = true;
}

/* May the shares be added up again? Yes if the tree has grown by a tenth since the last time, and
 * if it will take less than a hundredth of the time that has passed. The cost is predicted from the
 * last one; the first time, as a microsecond a page. */
static bool tree_may_add_shares(const struct tree_watch *watch, uint64_t anonymous_bytes)
{
    uint64_t before = watch->shares_anonymous_bytes;
    double cost_ns = watch->shares_known ? (double)watch->shares_cost_ns * (double)anonymous_bytes /
                                               (double)(before > 0 ? before : 1)
                                         : (double)anonymous_bytes / 4096 * 1e3;
    double passed_ns = (double)(clock_wall_ns() - watch->begin_ns);
    return !watch->resident_only && anonymous_bytes > before + before / 10 &&
           (double)watch->shares_cost_sum_ns + cost_ns < passed_ns / 100;
}

static void tree_look(struct tree_watch *watch, bool add_shares)
{
    pid_t *members = NULL;
    size_t count = 0;
    struct tree_sum sum = {0};
    tree_find(watch, &members, &count);
    for (size_t i = 0; i < count; i++) {
        tree_look_at(watch, members[i], &sum);
    }
    if (add_shares || tree_may_add_shares(watch, sum.anonymous_bytes)) {
        tree_add_shares(watch, members, count, sum.anonymous_bytes);
    }
    int64_t difference =
        watch->shares_known ? watch->shares_difference : (int64_t)sum.file_bytes_most;
    int64_t pss = (int64_t)sum.anonymous_bytes + difference;
    watch->pss_bytes = pss > 0 ? (uint64_t)pss : 0;
    watch->pss_bytes_peak =
        watch->pss_bytes > watch->pss_bytes_peak ? watch->pss_bytes : watch->pss_bytes_peak;
    watch->anonymous_bytes_peak = sum.anonymous_bytes > watch->anonymous_bytes_peak
                                      ? sum.anonymous_bytes
                                      : watch->anonymous_bytes_peak;
    watch->processes_most = sum.alive > watch->processes_most ? sum.alive : watch->processes_most;
    watch->samples++;
    free(members);
}

void tree_watch_begin(struct tree_watch *watch)
{
    pid_t *members = NULL;
    size_t count = 0;
    tree_find(watch, &members, &count);
    free(members);
    watch->begin_ns = clock_wall_ns();
}

void tree_watch_look_now(struct tree_watch *watch)
{
    tree_look(watch, true);
}

double tree_watch_look(struct tree_watch *watch)
{
    uint64_t now_ns = clock_wall_ns();
    if (now_ns >= watch->next_ns) {
        uint64_t shares_ns =
            watch->shares_cost_sum_ns; /* adding shares up has a limit of its own */
        uint64_t begin_ns =
            clock_thread_cpu_ns(); /* waiting for a processor costs the tree nothing */
        tree_look(watch, false);
        shares_ns = watch->shares_cost_sum_ns - shares_ns;
        uint64_t pause_ns = (clock_thread_cpu_ns() - begin_ns - shares_ns) * TREE_PAUSE_PER_COST;
        now_ns = clock_wall_ns();
        watch->next_ns = now_ns + (pause_ns > TREE_PAUSE_NS_MIN ? pause_ns : TREE_PAUSE_NS_MIN);
    }
    return (double)(watch->next_ns - now_ns) / 1e9;
}

uint64_t tree_own_peak(void)
{
    char text[TREE_TEXT_BYTES];
    return tree_read(getpid(), "status", text, sizeof(text)) ? tree_bytes(text, "VmHWM:") : 0;
}

void tree_watch_free(struct tree_watch *watch)
{
    text_list_free(&watch->unreached);
    free(watch->strangers);
    watch->strangers = NULL;
}
