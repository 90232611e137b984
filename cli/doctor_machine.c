#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/clock.h"
#include "run/machine.h"

static const char *doctor_host_text(const json_t *host, const char *name)
{
    const char *text = json_string_value(json_object_get(host, name));
    return text != NULL && text[0] != '\0' ? text : "?";
}

static void doctor_check_host(json_t *rows)
{
    json_t *host = machine_describe_host();
    long cores = (long)json_integer_value(json_object_get(host, "cores"));
    double memory = json_number_value(json_object_get(host, "memory_bytes"));
    doctor_add(rows, "kernel", "info", "", "Linux %s, glibc %s", doctor_host_text(host, "kernel"),
               doctor_host_text(host, "libc"));
    doctor_add(rows, "cpu", "info", "", "%s", doctor_host_text(host, "cpu"));
    doctor_add(
        rows, "cores", cores > 1 ? "ok" : "warning",
        cores > 1 ? "" : "give the machine a second core: the system's own work falls on the cell",
        "%ld", cores);
    doctor_add(rows, "memory", memory > 1e9 ? "ok" : "warning",
               memory > 1e9 ? "" : "leave out bump and large live sets: -b '!bump' -p live=1e4",
               "%.1f GiB", memory / (1 << 30));
    json_decref(host);
}

static void doctor_check_governor(json_t *rows)
{
    char governor[64];
    if (!machine_read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor,
                           sizeof(governor))) {
        doctor_add(rows, "governor", "info", "",
                   "not visible: the host of a virtual machine decides");
    } else if (strcmp(governor, "performance") == 0) {
        doctor_add(rows, "governor", "ok", "", "%s", governor);
    } else {
        doctor_add(
            rows, "governor", "warning",
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
            "%s: the clock follows the load, and the first cells run slower", governor);
    }
}

static void doctor_check_huge_pages(json_t *rows)
{
    char thp[128];
    (void)machine_read_line("/sys/kernel/mm/transparent_hugepage/enabled", thp, sizeof(thp));
    machine_chosen_word(thp);
    bool always = strcmp(thp, "always") == 0;
    doctor_add(rows, "huge pages", always ? "warning" : "ok",
               always ? "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled" : "",
               "%s%s", thp[0] != '\0' ? thp : "not available",
               always ? ": RSS then grows in steps of 2 MiB, unequally for different arenas" : "");
}

static void doctor_check_layout(json_t *rows)
{
    char aslr[16];
    (void)machine_read_line("/proc/sys/kernel/randomize_va_space", aslr, sizeof(aslr));
    bool on = strcmp(aslr, "2") == 0;
    doctor_add(rows, "address layout", on ? "ok" : "warning",
               on ? "" : "sudo sysctl kernel.randomize_va_space=2",
               on ? "randomised"
                  : "not fully randomised (%s): rounds then repeat one layout's luck",
               aslr);
}

static void doctor_check_swap(json_t *rows)
{
    char total[64];
    char left[64];
    machine_find_value("/proc/meminfo", "SwapTotal", total, sizeof(total));
    machine_find_value("/proc/meminfo", "SwapFree", left, sizeof(left));
    double used_kib = strtod(total, NULL) - strtod(left, NULL);
    bool used = used_kib > 64 * 1024;
    doctor_add(rows, "swap", used ? "warning" : "ok",
               used ? "end what fills the memory, then: sudo swapoff -a && sudo swapon -a" : "",
               "%.0f MiB in use of %.0f MiB", used_kib / 1024, strtod(total, NULL) / 1024);
}

static void doctor_check_load(json_t *rows, const struct machine_counters *counters)
{
    double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    bool busy = counters->load1 > 0.3 * cores;
    doctor_add(rows, "load", busy ? "warning" : "ok",
               busy ? "wait, or end what runs: `top` shows it" : "", "%.2f over the last minute",
               counters->load1);
}

/* Watches steal and throttling while it keeps one core busy, because nothing is stolen from an idle
 * guest. */
static void doctor_check_neighbours(json_t *rows, double interval_s)
{
    struct machine_counters before;
    struct machine_counters after;
    machine_read_counters(&before);
    uint64_t end = clock_wall_ns() + (uint64_t)(interval_s * 1e9);
    while (clock_wall_ns() < end) {
    }
    machine_read_counters(&after);
    double total = (double)(after.total_ticks - before.total_ticks);
    double steal = total > 0 ? 100 * (double)(after.steal_ticks - before.steal_ticks) / total : 0;
    doctor_add(rows, "steal", steal > 2 ? "warning" : "ok",
               steal > 2
                   ? "measure at a quieter time or on a machine of your own; more --rounds help"
                   : "",
               "%.1f%% of the CPU time went to other guests in %.1f s", steal, interval_s);
    uint64_t throttled = after.throttled_us - before.throttled_us;
    double quota = machine_cpu_quota();
    double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (quota <= 0) {
        doctor_add(rows, "cpu quota", "ok", "", "none");
        return;
    }
    bool tight = throttled > 0 || quota < 1;
    doctor_add(
        rows, "cpu quota", tight ? "warning" : "ok",
        tight ? "raise the container's CPU limit (docker --cpus, cpu.max) to one CPU and more" : "",
        "%.2f of %.0f CPUs, held back for %" PRIu64 " us in %.1f s", quota, cores, throttled,
        interval_s);
}

static int doctor_order(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* Takes the median of batches, because a single batch may be interrupted. */
static void doctor_check_clock(json_t *rows)
{
    enum { BATCHES = 31, READS = 1000 };
    double costs[BATCHES];
    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t begin = clock_wall_ns();
        for (int i = 0; i < READS; i++) {
            (void)clock_wall_ns();
        }
        costs[batch] = (double)(clock_wall_ns() - begin) / READS;
    }
    qsort(costs, BATCHES, sizeof(costs[0]), doctor_order);
    double cost = costs[BATCHES / 2];
    char source[64];
    (void)machine_read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                            source, sizeof(source));
    /* A reading through the vDSO costs 15 to 60 ns, a system call several hundred. */
    doctor_add(
        rows, "clock", cost < 150 ? "ok" : "warning",
        cost < 150
            ? ""
            : "let the kernel use the tsc clock source; until then trust throughput, not latency",
        "%.0f ns a reading (%s)", cost, source[0] != '\0' ? source : "source unknown");
}

void doctor_check_settings(json_t *rows)
{
    struct machine_counters now;
    machine_read_counters(&now);
    doctor_check_governor(rows);
    doctor_check_huge_pages(rows);
    doctor_check_layout(rows);
    doctor_check_swap(rows);
    doctor_check_load(rows, &now);
}

void doctor_check_machine(json_t *rows, double interval_s)
{
    doctor_check_host(rows);
    doctor_check_settings(rows);
    doctor_check_neighbours(rows, interval_s);
    doctor_check_clock(rows);
}
