/* Makes a result directory of any size, with records as long as real ones and ratios that are
 * known:
 *
 *   results-generate_run DIR BACKENDS WORKLOADS ROUNDS
 *
 * Workload w under back end b takes 10 · (1 + w) · (1 + b / 10) ns, back end 0 is the base
 * malloc:preload with its two twins, each round has a drift of its own, noise is 1%. For measuring
 * how `heapmill compare` grows; (BACKENDS + 2) · WORKLOADS · ROUNDS records. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/rng.h"

enum { GENERATE_PATH_MAX = 4096, GENERATE_NAME_MAX = 128, TWINS = 2 };

struct generate {
    char directory[GENERATE_PATH_MAX / 2];
    long backends;
    long workloads;
    long rounds;
};

static FILE *generate_open(const struct generate *generate, const char *name)
{
    char path[GENERATE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", generate->directory, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        (void)fprintf(stderr, "generate_run: cannot write %s: %s\n", path, strerror(errno));
        exit(3);
    }
    return file;
}

/* The cells of a group in order: back ends, then the base's twins. */
static void generate_cell_name(char name[GENERATE_NAME_MAX], long workload, long cell,
                               long backends)
{
    long backend = cell < backends ? cell : 0;
    long twin = cell < backends ? 0 : cell - backends + 1;
    int length =
        snprintf(name, GENERATE_NAME_MAX, "workload_%03ld/live=1000,size=64/t1/", workload);
    if (backend == 0) {
        length += snprintf(name + length, GENERATE_NAME_MAX - (size_t)length, "malloc:preload");
    } else {
        length += snprintf(name + length, GENERATE_NAME_MAX - (size_t)length, "backend-%ld:inline",
                           backend);
    }
    if (twin > 0) {
        (void)snprintf(name + length, GENERATE_NAME_MAX - (size_t)length, "~%ld", twin);
    }
}

static void generate_plan(const struct generate *generate)
{
    FILE *file = generate_open(generate, "plan.json");
    (void)fprintf(file,
                  "{\"format\":\"heapmill-plan-1\",\"seed\":1,\"rounds\":%ld,\"base\":{\"backend\":"
                  "\"malloc\",\"arm\":\"preload\"},\"cells\":[",
                  generate->rounds);
    for (long workload = 0; workload < generate->workloads; workload++) {
        for (long cell = 0; cell < generate->backends + TWINS; cell++) {
            char name[GENERATE_NAME_MAX];
            char backend[GENERATE_NAME_MAX];
            generate_cell_name(name, workload, cell, generate->backends);
            (void)snprintf(backend, sizeof(backend), "backend-%ld", cell);
            bool base = cell == 0 || cell >= generate->backends;
            (void)fprintf(
                file,
                "%s\n{\"id\":\"%s\",\"group\":\"workload_%03ld/live=1000,size=64/t1\",\"workload\":"
                "\"workload_%03ld\",\"kind\":\"blocks\",\"family\":\"family_%ld\",\"params\":{"
                "\"live\":"
                "1000,\"size\":64},\"threads\":1,\"backend\":\"%s\",\"arm\":\"%s\",\"env\":{},"
                "\"twin\":"
                "%ld}",
                workload + cell > 0 ? "," : "", name, workload, workload, workload % 4,
                base ? "malloc" : backend, base ? "preload" : "inline",
                cell < generate->backends ? 0 : cell - generate->backends + 1);
        }
    }
    (void)fputs("\n]}\n", file);
    (void)fclose(file);
}

/* What real records carry besides their figures: about 1.4 KB. */
static const char generate_rest[] =
    "\"signal\":0,\"exit_code\":0,\"started\":\"2026-01-01T00:00:00Z\",\"seed\":12345,"
    "\"iterations\":20,"
    "\"operations\":4000000,\"allocations\":2000000,\"allocations_expected\":2000000,"
    "\"stray_allocations\":0,\"malloc_owner\":\"/usr/lib/x86_64-linux-gnu/"
    "libc.so.6\",\"faults_minor\":12,"
    "\"faults_major\":0,\"switches_voluntary\":0,\"switches_involuntary\":3,\"process\":{\"cpu_"
    "ns\":"
    "91234567,\"wall_ns\":93456789,\"rss_bytes_peak\":9437184,\"faults_minor\":1234,\"faults_"
    "major\":0},"
    "\"steal_ticks\":0,\"throttled_us\":0,\"load1\":1.02,\"kernel\":\"Linux 6.1.0-18-amd64 #1 SMP "
    "PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)\",\"cpu\":\"Some CPU model name @ "
    "2.50GHz\",\"thp\":"
    "\"madvise\",\"aslr\":2,\"compiler\":\"GNU 12.2.0\",\"flags\":\"-O2 -g -Wall -Wextra "
    "-Wconversion "
    "-Wshadow -Wstrict-prototypes -Werror "
    "-fno-builtin-malloc\",\"libraries\":{\"libc.so.6\":\"2.36\","
    "\"libbenchmark.so.1\":\"1.7.1\",\"libstdc++.so.6\":\"6.0.30\",\"libm.so.6\":\"2.36\",\"libgcc_"
    "s.so.1\":"
    "\"12.2.0\"},\"gc\":{\"collections\":[0,0,0],\"collected\":0,\"objects_visited\":0},"
    "\"checksum\":"
    "1234567890123,\"params\":{\"live\":1000,\"size\":64},\"threads\":1,\"env\":{},\"reason\":"
    "\"\"}";

static void generate_group(const struct generate *generate, FILE *file, struct rng *rng, long round,
                           long workload, uint64_t *sequence)
{
    double drift = exp(0.1 * rng_normal(rng));
    for (long cell = 0; cell < generate->backends + TWINS; cell++) {
        char name[GENERATE_NAME_MAX];
        long backend = cell < generate->backends ? cell : 0;
        generate_cell_name(name, workload, cell, generate->backends);
        double time_ns = 10.0 * (double)(1 + workload) * (1 + (double)backend / 10) * drift *
                         exp(0.01 * rng_normal(rng));
        (void)fprintf(
            file,
            "{\"format\":\"heapmill-record-1\",\"cell\":\"%s\",\"group\":\"workload_%03ld/"
            "live=1000,size=64/t1\",\"pass\":\"time\",\"round\":%ld,\"sequence\":%llu,\"status\":"
            "\"ok\",\"cpu_ns\":%.0f,\"wall_ns\":%.0f,\"cpu_ns_per_op\":%.17g,%s\n",
            name, workload, round, (unsigned long long)(*sequence)++, time_ns * 4e6,
            time_ns * 4.1e6, time_ns, generate_rest);
    }
}

int main(int argc, char **argv)
{
    struct generate generate = {0};
    struct rng rng;
    uint64_t sequence = 0;
    if (argc == 5) {
        (void)snprintf(generate.directory, sizeof(generate.directory), "%s", argv[1]);
        generate.backends = strtol(argv[2], NULL, 10);
        generate.workloads = strtol(argv[3], NULL, 10);
        generate.rounds = strtol(argv[4], NULL, 10);
    }
    if (generate.backends < 1 || generate.workloads < 1 || generate.rounds < 1) {
        (void)fputs("usage: generate_run DIR BACKENDS WORKLOADS ROUNDS, each at least 1\n", stderr);
        return 2;
    }
    (void)mkdir(generate.directory, 0777);
    generate_plan(&generate);
    FILE *file = generate_open(&generate, "records.jsonl");
    rng_seed(&rng, 1);
    for (long round = 0; round < generate.rounds; round++) {
        for (long workload = 0; workload < generate.workloads; workload++) {
            generate_group(&generate, file, &rng, round, workload, &sequence);
        }
    }
    return fclose(file) == 0 ? 0 : 3;
}
