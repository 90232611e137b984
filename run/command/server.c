#include "run/command/server.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "run/worker.h"

static const double SERVER_STOP_S = 10; /* after SIGTERM, before the server is killed */
static const double SERVER_PAUSE_S = 0.005;
enum { SERVER_OUTPUT_SEARCHED = 1 << 20 };

/* ---------------------------------------------------------------- what a load prints */
/* The geometric mean of all printed rates, and the largest p99. */
struct server_figures {
    const char *tool;
    double log_rates;
    size_t rates;
    double p99_ms;
    double mean_ms;
};

/* The number after the text in the line; NAN: there is none. */
static double server_number_behind(const char *line, const char *text)
{
    const char *found = strstr(line, text);
    char *end = NULL;
    if (found == NULL) {
        return (double)NAN;
    }
    found += strlen(text);
    double number = strtod(found, &end);
    return end == found ? (double)NAN : number;
}

static void server_add_rate(struct server_figures *figures, const char *tool, double rate)
{
    if (rate > 0) {
        figures->tool = tool;
        figures->log_rates += log(rate);
        figures->rates++;
    }
}

/* Reads the "99%" lines of wrk and ab. wrk writes the unit after the number, ab prints
 * milliseconds. */
static double server_percentile_ms(const char *line)
{
    char *unit = NULL;
    line += strspn(line, " ");
    if (strncmp(line, "99%", 3) != 0) {
        return (double)NAN;
    }
    double number = strtod(line + 3, &unit);
    return unit == line + 3              ? (double)NAN
           : strncmp(unit, "us", 2) == 0 ? number / 1e3
           : unit[0] == 's'              ? number * 1e3
                                         : number;
}

/* A line of --csv: "SET","1234.5","avg","min","p50","p95","p99","max". */
static void server_read_redis_csv(const char *line, struct server_figures *figures)
{
    enum { RATE = 1, MEAN = 2, P99 = 6, FIELDS = 8 };
    struct text_list fields = {0};
    double numbers[FIELDS] = {0};
    text_split(&fields, line, ',');
    bool whole = fields.count == FIELDS;
    for (size_t i = 1; i < FIELDS && whole; i++) {
        char *end = NULL;
        const char *digits = fields.items[i] + (fields.items[i][0] == '"');
        numbers[i] = strtod(digits, &end);
        whole = end != digits;
    }
    text_list_free(&fields);
    if (whole) {
        server_add_rate(figures, "redis-benchmark", numbers[RATE]);
        figures->mean_ms = fmax(figures->mean_ms, numbers[MEAN]);
        figures->p99_ms = fmax(figures->p99_ms, numbers[P99]);
    }
}

/* "SET: 1234.5 requests per second, p50=0.2 msec", and "  throughput summary: 1234.5 requests per
 * second". */
static void server_read_redis(const char *line, struct server_figures *figures)
{
    const char *rate = strstr(line, " requests per second");
    while (rate != NULL && rate > line && strchr("0123456789.", rate[-1]) != NULL) {
        rate--;
    }
    if (rate != NULL) {
        server_add_rate(figures, "redis-benchmark", strtod(rate, NULL));
    }
}

static void server_read_line(const char *line, struct server_figures *figures)
{
    server_read_redis(line, figures);
    server_read_redis_csv(line, figures);
    server_add_rate(figures, "wrk", server_number_behind(line, "Requests/sec:"));
    server_add_rate(figures, "ab", server_number_behind(line, "Requests per second:"));
    server_add_rate(figures, "pgbench", server_number_behind(line, "tps = "));
    double mean = server_number_behind(line, "latency average = ");
    double p99 = server_percentile_ms(line);
    figures->mean_ms = isnan(mean) ? figures->mean_ms : mean;
    figures->p99_ms = isnan(p99) ? figures->p99_ms : fmax(figures->p99_ms, p99);
}

json_t *server_read_load(const char *output)
{
    struct server_figures figures = {.tool = NULL};
    struct text_list lines = {0};
    char *copy = text_format("%s", output);
    for (char *next = copy; *next != '\0'; next++) {
        *next = *next == '\r' ? '\n' : *next; /* a progress line that overwrites itself */
    }
    text_split(&lines, copy, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        server_read_line(lines.items[i], &figures);
    }
    text_list_free(&lines);
    free(copy);
    if (figures.rates == 0) {
        return NULL;
    }
    json_t *load = json_pack("{ss sf}", "tool", figures.tool, "requests_per_s",
                             exp(figures.log_rates / (double)figures.rates));
    if (figures.p99_ms > 0) {
        (void)json_object_set_new(load, "latency_p99_ms", json_real(figures.p99_ms));
    }
    if (figures.mean_ms > 0) {
        (void)json_object_set_new(load, "latency_mean_ms", json_real(figures.mean_ms));
    }
    return load;
}

/* ---------------------------------------------------------------- a server's life */
static bool server_accepts(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    bool accepts = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return accepts;
}

/* Is the text in the server's output, or in the last part of its stderr? */
static bool server_says(const char *text, const struct process *process, int output_fd)
{
    char *bytes = NULL;
    struct error error;
    off_t size = lseek(output_fd, 0, SEEK_END); /* the server writes at this offset too */
    size_t count = size > 0 && size < SERVER_OUTPUT_SEARCHED ? (size_t)size
                   : size > 0                                ? SERVER_OUTPUT_SEARCHED
                                                             : 0;
    bool says = strstr(process->result.stderr_tail, text) != NULL ||
                (file_read_part(output_fd, 0, count, &bytes, &error) == STATUS_OK &&
                 memmem(bytes, count, text, strlen(text)) != NULL);
    free(bytes);
    return says;
}

/* Follows the server for that many seconds. false: the server ended, or heapmill was
 * interrupted. */
static bool server_go_on(struct process *process, struct command_result *result, double seconds)
{
    uint64_t end_ns = clock_wall_ns() + (uint64_t)(seconds * 1e9);
    bool runs = true;
    do {
        runs = process_wait(process, 1, SERVER_PAUSE_S) > 0 && !process_interrupted();
        (void)tree_watch_look(&result->watch);
    } while (runs && clock_wall_ns() < end_ns);
    return runs;
}

static bool server_await(const json_t *spec, double timeout_s, struct process *process,
                         int output_fd, struct command_result *result)
{
    const char *ready = json_text_at(spec, "ready", "");
    uint64_t port = 0;
    bool is_port = text_to_u64(ready, &port) && port <= UINT16_MAX;
    uint64_t end_ns = clock_wall_ns() + (uint64_t)(timeout_s * 1e9);
    while (server_go_on(process, result, 0)) {
        if (is_port ? server_accepts((uint16_t)port) : server_says(ready, process, output_fd)) {
            return true;
        }
        if (clock_wall_ns() > end_ns) {
            result->problem = text_format(is_port ? "port %s was not open within %g s"
                                                  : "did not say “%s” within %g s",
                                          ready, timeout_s);
            return false;
        }
    }
    result->problem = text_format("ended before it was ready");
    return false;
}

static bool server_load(const json_t *spec, double timeout_s, struct process *process,
                        struct command_result *result)
{
    const char *const arguments[] = {"sh", "-c", json_text_at(spec, "load", ""), NULL};
    const struct process_request request = {.arguments = arguments,
                                            .directory = json_text_at(spec, "directory", NULL)};
    struct process load;
    struct error error;
    if (process_start(&request, &load, &error) != STATUS_OK) {
        result->problem = text_format("the load could not be started: %s", error.message);
        return false;
    }
    result->watch.load = load.pid;
    bool runs = true;
    while (runs && process_wait(&load, 1, SERVER_PAUSE_S) > 0) {
        runs = server_go_on(process, result, 0);
        load.result.timed_out = (double)(clock_wall_ns() - load.begin_ns) / 1e9 > timeout_s;
        runs = runs && !load.result.timed_out;
    }
    process_stop(&load, 1, 0);
    result->watch.load = 0;
    result->load_ns = load.result.wall_ns;
    bool good = runs && load.result.exit_code == 0 && load.result.signal == 0;
    if (good) {
        result->load = server_read_load(load.result.output);
    } else if (process->running) {
        char *how = worker_explain(&load.result, timeout_s);
        result->problem = text_format("the load %s", how);
        free(how);
    } else {
        result->problem = text_format("ended under the load");
    }
    process_free(&load);
    return good;
}

void server_serve(const json_t *spec, double timeout_s, struct process *process, int output_fd,
                  struct command_result *result)
{
    timeout_s = timeout_s > 0 ? timeout_s : 3600;
    if (server_await(spec, timeout_s, process, output_fd, result) &&
        server_load(spec, timeout_s, process, result)) {
        bool runs = server_go_on(process, result, json_number_at(spec, "idle_s", 0));
        tree_watch_look_now(&result->watch);
        result->memory_bytes_idle = result->watch.pss_bytes;
        if (!runs) {
            result->problem = text_format("ended by itself after the load");
        }
    }
    process->result.interrupted = process_interrupted();
    if (process->running) {
        (void)kill(process->pid, SIGTERM);
        uint64_t end_ns = clock_wall_ns() + (uint64_t)(SERVER_STOP_S * 1e9);
        while (process_wait(process, 1, SERVER_PAUSE_S) > 0 && clock_wall_ns() < end_ns) {
        }
        if (process->running && result->problem == NULL) {
            result->problem = text_format("did not end within %g s of SIGTERM", SERVER_STOP_S);
        }
    }
}
