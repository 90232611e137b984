#include "run/machine.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"

bool machine_read_line(const char *path, char *line, size_t size)
{
    line[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool found = fgets(line, (int)size, file) != NULL;
    (void)fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return found;
}

void machine_chosen_word(char *text)
{
    char *open = strchr(text, '[');
    char *close = open != NULL ? strchr(open, ']') : NULL;
    if (close != NULL) {
        *close = '\0';
        memmove(text, open + 1, strlen(open + 1) + 1);
    }
}

void machine_find_value(const char *path, const char *name, char *value, size_t size)
{
    char line[512];
    size_t length = strlen(name);
    value[0] = '\0';
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, length) == 0 && strchr(" \t:", line[length]) != NULL) {
            const char *begin = line + length + strspn(line + length, " \t:");
            (void)snprintf(value, size, "%.*s", (int)strcspn(begin, "\n"), begin);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* The name of this process's cgroup in the hierarchy of a controller (version 1), or in the unified
 * one (""). */
static void machine_cgroup_name(const char *controller, char *name, size_t size)
{
    char line[PATH_MAX];
    name[0] = '\0';
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        /* The line is "4:cpu,cpuacct:/path" or "0::/path". */
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL) {
            continue;
        }
        *controllers++ = '\0';
        *path++ = '\0';
        char *rest = controllers;
        const char *word;
        while ((word = strsep(&rest, ",")) != NULL) {
            if (strcmp(word, controller) == 0) {
                (void)snprintf(name, size, "%.*s", (int)strcspn(path, "\n"), path);
            }
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* The path of a file of this process's cgroup (CPU controller); "" if there is no cgroup or no such
 * file. */
static void machine_cgroup_file(const char *name, char *path, size_t size)
{
    static const char *const roots[][2] = {
        {"cpu", "/sys/fs/cgroup/cpu"},
        {"cpu", "/sys/fs/cgroup/cpu,cpuacct"},
        {"", "/sys/fs/cgroup"},
        {"", "/sys/fs/cgroup/unified"},
    };
    char group[PATH_MAX];
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        machine_cgroup_name(roots[i][0], group, sizeof(group));
        (void)snprintf(path, size, "%s%s/%s", roots[i][1], strcmp(group, "/") == 0 ? "" : group,
                       name);
        if (group[0] != '\0' && access(path, R_OK) == 0) {
            return;
        }
        /* In a container the mounted root is the process's own group, whatever its name is
         * outside. */
        (void)snprintf(path, size, "%s/%s", roots[i][1], name);
        if (group[0] != '\0' && access(path, R_OK) == 0) {
            return;
        }
    }
    path[0] = '\0';
}

double machine_cpu_quota(void)
{
    char path[PATH_MAX];
    char line[128];
    machine_cgroup_file("cpu.max", path,
                        sizeof(path)); /* version 2: "200000 100000" or "max 100000" */
    double quota = 0;
    double period = 0;
    if (path[0] != '\0' && machine_read_line(path, line, sizeof(line))) {
        char *end = NULL;
        quota = strtod(line, &end);
        period = strtod(end, NULL);
    } else {
        machine_cgroup_file("cpu.cfs_quota_us", path, sizeof(path)); /* version 1: -1 for none */
        quota =
            path[0] != '\0' && machine_read_line(path, line, sizeof(line)) ? strtod(line, NULL) : 0;
        machine_cgroup_file("cpu.cfs_period_us", path, sizeof(path));
        period =
            path[0] != '\0' && machine_read_line(path, line, sizeof(line)) ? strtod(line, NULL) : 0;
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}

static uint64_t machine_throttled_us(void)
{
    char path[PATH_MAX];
    char value[64];
    machine_cgroup_file("cpu.stat", path, sizeof(path));
    if (path[0] == '\0') {
        return 0;
    }
    machine_find_value(path, "throttled_usec", value, sizeof(value)); /* version 2 */
    if (value[0] != '\0') {
        return strtoull(value, NULL, 10);
    }
    machine_find_value(path, "throttled_time", value, sizeof(value)); /* version 1, ns */
    return strtoull(value, NULL, 10) / 1000;
}

void machine_read_counters(struct machine_counters *counters)
{
    char line[256];
    *counters = (struct machine_counters){.throttled_us = machine_throttled_us()};
    if (machine_read_line("/proc/stat", line, sizeof(line)) && strncmp(line, "cpu ", 4) == 0) {
        /* user nice system idle iowait irq softirq steal; user already includes guest times */
        char *next = line + 4;
        for (int i = 0; i < 8; i++) {
            uint64_t ticks = strtoull(next, &next, 10);
            counters->total_ticks += ticks;
            counters->steal_ticks = ticks;
        }
    }
    if (machine_read_line("/proc/loadavg", line, sizeof(line))) {
        counters->load1 = strtod(line, NULL);
    }
}

static json_t *machine_json_text(const char *text)
{
    json_t *json = json_string(text);
    return json != NULL ? json : json_string("?"); /* a name that is not UTF-8 */
}

static void machine_add_line(json_t *host, const char *name, const char *path)
{
    char line[512];
    if (machine_read_line(path, line, sizeof(line))) {
        (void)json_object_set_new(host, name, machine_json_text(line));
    }
}

static void machine_add_value(json_t *host, const char *name, const char *member)
{
    char value[512];
    machine_find_value("/proc/cpuinfo", member, value, sizeof(value));
    if (value[0] != '\0') {
        (void)json_object_set_new(host, name, machine_json_text(value));
    }
}

/* "L1d 32K, L2 512K, L3 16384K" of the first core. */
static void machine_add_caches(json_t *host)
{
    char text[256] = "";
    for (int i = 0; i < 8; i++) {
        char path[128];
        char level[16] = "";
        char type[32] = "";
        char size[32] = "";
        const char *const parts[] = {"level", "type", "size"};
        char *const values[] = {level, type, size};
        const size_t sizes[] = {sizeof(level), sizeof(type), sizeof(size)};
        bool known = true;
        for (size_t p = 0; p < 3; p++) {
            (void)snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i,
                           parts[p]);
            known = known && machine_read_line(path, values[p], sizes[p]);
        }
        size_t length = strlen(text);
        if (known) {
            (void)snprintf(text + length, sizeof(text) - length, "%sL%s%s %s",
                           length > 0 ? ", " : "", level,
                           strcmp(type, "Data") == 0          ? "d"
                           : strcmp(type, "Instruction") == 0 ? "i"
                                                              : "",
                           size);
        }
    }
    if (text[0] != '\0') {
        (void)json_object_set_new(host, "caches", json_string(text));
    }
}

/* "spectre_v2: …; meltdown: …", without those that say "Not affected". */
static void machine_add_mitigations(json_t *host)
{
    static const char directory[] = "/sys/devices/system/cpu/vulnerabilities";
    struct text_list names = {0};
    struct text_list said = {0};
    file_list_names(directory, &names);
    for (size_t i = 0; i < names.count; i++) {
        char line[256];
        char *path = text_format("%s/%s", directory, names.items[i]);
        if (machine_read_line(path, line, sizeof(line)) && strcmp(line, "Not affected") != 0) {
            text_list_add(&said, text_format("%s: %s", names.items[i], line));
        }
        free(path);
    }
    char *text = text_join(&said, "; ");
    (void)json_object_set_new(host, "mitigations", machine_json_text(text));
    free(text);
    text_list_free(&said);
    text_list_free(&names);
}

/* Adds further facts that explain figures, as far as the machine tells them. */
static void machine_add_provenance(json_t *host)
{
    char affinity[256];
    machine_add_value(host, "microcode", "microcode");
    machine_add_value(host, "mhz", "cpu MHz");
    machine_add_caches(host);
    machine_add_mitigations(host);
    machine_add_line(host, "smt", "/sys/devices/system/cpu/smt/control");
    machine_add_line(host, "thp_defrag", "/sys/kernel/mm/transparent_hugepage/defrag");
    machine_add_line(host, "cgroup", "/proc/self/cgroup");
    machine_add_line(host, "hypervisor_product", "/sys/class/dmi/id/product_name");
#ifdef __x86_64__
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) { /* hypervisors set bit 31 of ECX */
        (void)json_object_set_new(host, "hypervisor", json_boolean((ecx >> 31 & 1) != 0));
    }
#endif
    machine_find_value("/proc/self/status", "Cpus_allowed_list", affinity, sizeof(affinity));
    (void)json_object_set_new(host, "affinity", machine_json_text(affinity));
    const char *tunables = getenv("GLIBC_TUNABLES"); /* of heapmill itself: workers do not get it */
    (void)json_object_set_new(host, "glibc_tunables",
                              machine_json_text(tunables != NULL ? tunables : ""));
}

json_t *machine_describe_host(void)
{
    struct utsname kernel;
    char cpu[256];
    char thp[128];
    char aslr[16];
    char governor[64];
    (void)uname(&kernel);
    machine_find_value("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
    (void)machine_read_line("/sys/kernel/mm/transparent_hugepage/enabled", thp, sizeof(thp));
    machine_chosen_word(thp);
    (void)machine_read_line("/proc/sys/kernel/randomize_va_space", aslr, sizeof(aslr));
    (void)machine_read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor,
                            sizeof(governor));
    json_int_t memory = (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE);
    char *release = kernel.release;
    json_t *host = json_pack(
        "{so ss so sI sI ss sI ss ss ss ss}", "hostname", machine_json_text(kernel.nodename),
        "kernel", release, "cpu", machine_json_text(cpu), "cores",
        (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes", memory, "thp", thp, "aslr",
        strtoll(aslr, NULL, 10), "governor", governor, "libc", gnu_get_libc_version(), "heapmill",
        HEAPMILL_VERSION, "commit", machine_commit);
    machine_add_provenance(host);
    return host;
}
