/* What the machine is and what it does meanwhile, from /proc and /sys. Whatever cannot be read (no
 * such file in a container, another kernel) is empty or 0, never an error. Linux only. */
#ifndef HEAPMILL_RUN_MACHINE_H
#define HEAPMILL_RUN_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counters that grow; the difference of two readings explains a figure. */
struct machine_counters {
    uint64_t steal_ticks;  /* of all cores, 1/sysconf(_SC_CLK_TCK) s each: taken by other guests */
    uint64_t total_ticks;  /* of all cores, idle ones included */
    uint64_t throttled_us; /* our cgroup's processes were held back by its CPU quota */
    double load1;          /* the load average of the last minute: not a counter */
};

void machine_read_counters(struct machine_counters *counters);

/* The commit that this build is of, with "-dirty" where files were changed; "unknown" without git.
 */
extern const char machine_commit[];

/* `host` of plan.json (results/FORMAT.md); a new reference. */
json_t *machine_describe_host(void);

/* The first line of a small file without its newline; false, and "", if there is none. */
bool machine_read_line(const char *path, char *line, size_t size);

/* The bracketed word of "always [madvise] never"; the text as it is if there are no brackets. Cuts
 * in place. */
void machine_chosen_word(char *text);

/* "Name: value" of /proc/meminfo and its like: the value as it stands; "" if there is none. */
void machine_find_value(const char *path, const char *name, char *value, size_t size);

/* CPUs that the quota of our cgroup is worth; 0 for none. */
double machine_cpu_quota(void);

#endif
