/* Describes the machine, and reads counters of what else it does during a run, from /proc and /sys.
 * What cannot be read (no such file in a container, another kernel) is empty or 0, never an error.
 * Linux only. */
#ifndef HEAPMILL_RUN_MACHINE_H
#define HEAPMILL_RUN_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counters that only grow. The difference of two readings explains a figure. */
struct machine_counters {
    uint64_t steal_ticks;  /* taken by other guests, all cores, 1/sysconf(_SC_CLK_TCK) s each */
    uint64_t total_ticks;  /* all cores, with idle ones */
    uint64_t throttled_us; /* time for which the CPU quota held this process's cgroup back */
    double load1;          /* the load average of the last minute, which is no counter */
};

void machine_read_counters(struct machine_counters *counters);

/* The commit of this build, with "-dirty" if files were changed; "unknown" without git. */
extern const char machine_commit[];

/* `host` of plan.json (results/FORMAT.md); a new reference. */
json_t *machine_describe_host(void);

/* Reads the first line of a small file, without the newline. false and "": there is none. */
bool machine_read_line(const char *path, char *line, size_t size);

/* Cuts "always [madvise] never" in place to the word in brackets. A text without brackets stays as
 * it is. */
void machine_chosen_word(char *text);

/* Reads the value of "Name: value" from /proc/meminfo and similar files; "" if there is none. */
void machine_find_value(const char *path, const char *name, char *value, size_t size);

/* The CPU quota of this process's cgroup, in CPUs; 0: no quota. */
double machine_cpu_quota(void);

#endif
