/* BINARY --print INPUT, of every engine: the input as the program that it is.
 *
 * BINARY --reduce INPUT OUTPUT SECONDS, likewise: makes a failing input smaller, a fork for
 * each trial.
 *
 * A target is a function of its input alone, so that a child of this process, which has run nothing
 * yet, fails as a fresh process does, without the exec, the dynamic linking and the sanitizer's
 * start that cost a process a hundred times as much. A trial holds when it says what the input
 * itself said (fuzz/said.h). It is killed once it has said so: nobody reads its stack. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "fuzz/asan.h"
#include "fuzz/engines/engine.h"
#include "fuzz/history.h"
#include "fuzz/palette.h"
#include "fuzz/reduce.h"
#include "fuzz/said.h"

enum {
    REDUCE_INPUT_BYTES_MAX = 1 << 20,
    REDUCE_OUTPUT_BYTES = 1 << 16, /* kept of a trial's output: messages come early */
    REDUCE_TESTS_MAX = 20000,
    REDUCE_EXIT_USAGE = 2,
    REDUCE_EXIT_ENVIRONMENT = 3,
};

/* The limit of the input itself. A trial gets ten times the time that the input took, and a
 * second. */
static const double REDUCE_FIRST_S = 60;

static uint8_t reduce_bytes[REDUCE_INPUT_BYTES_MAX];
static uint8_t reduce_trial[REDUCE_INPUT_BYTES_MAX];
static char reduce_output[REDUCE_OUTPUT_BYTES];

struct reduce_run {
    double limit_s;
    bool failed;
    bool timed_out;
    char key[FUZZ_SAID_KEY_BYTES];
};

__attribute__((noreturn)) static void reduce_play(const uint8_t *bytes, size_t size, int output)
{
    const struct rlimit none = {0, 0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)dup2(output, STDERR_FILENO);
#ifdef FUZZ_ASAN
    uint8_t *copy = malloc(size); /* as libFuzzer does, so that reads beyond the end are found */
    bytes = copy != NULL ? memcpy(copy, bytes, size) : bytes;
#endif
    (void)LLVMFuzzerTestOneInput(bytes, size);
    _exit(0);
}

/* Reads the child's output until it has its message, the child ends, or the time is over. */
static void reduce_listen(int input, struct reduce_run *run)
{
    const uint64_t end_ns = clock_wall_ns() + (uint64_t)(run->limit_s * 1e9);
    size_t length = 0;
    for (;;) {
        uint64_t now_ns = clock_wall_ns();
        struct pollfd poll_input = {.fd = input, .events = POLLIN};
        int ready =
            now_ns < end_ns ? poll(&poll_input, 1, (int)((end_ns - now_ns) / 1000000) + 1) : 0;
        char beyond[4096];
        size_t room = sizeof(reduce_output) - 1 - length;
        ssize_t count = ready <= 0 ? -1
                        : room > 0 ? read(input, reduce_output + length, room)
                                   : read(input, beyond, sizeof(beyond));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        run->timed_out = ready == 0;
        if (count <= 0) {
            return;
        }
        length += room > 0 ? (size_t)count : 0;
        reduce_output[length] = '\0';
        struct fuzz_said said;
        if (fuzz_said_read(reduce_output, &said) && said.whole) {
            return;
        }
    }
}

/* Runs the input in a child. false: no child could be made. */
static bool reduce_run(const uint8_t *bytes, size_t size, struct reduce_run *run)
{
    int ends[2];
    int status = 0;
    struct fuzz_said said;
    run->failed = false;
    run->timed_out = false;
    reduce_output[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        reduce_play(bytes, size, ends[1]);
    }
    (void)close(ends[1]);
    if (child > 0) {
        reduce_listen(ends[0], run);
        bool spoke = fuzz_said_read(reduce_output, &said);
        if (spoke || run->timed_out) {
            (void)kill(child, SIGKILL);
        }
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        char other[FUZZ_SAID_KIND_BYTES];
        (void)snprintf(other, sizeof(other), "%s %d",
                       WIFSIGNALED(status) ? "signal" : "exit status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        run->failed = spoke || status != 0;
        fuzz_said_key(spoke ? said.kind : other, spoke ? said.text : "", run->key);
    }
    (void)close(ends[0]);
    return child > 0;
}

static bool reduce_holds(void *context, const uint8_t *bytes, size_t size)
{
    const struct reduce_run *first = context;
    struct reduce_run run = {.limit_s = first->limit_s};
    return reduce_run(bytes, size, &run) && run.failed && !run.timed_out &&
           strcmp(run.key, first->key) == 0;
}

/* Plays an empty input in this process. What a process makes once at its first input (regions of
 * memory, and their shadow, which takes AddressSanitizer a tenth of a second) is then inherited by
 * the trials. */
static void reduce_warm_up(void)
{
    struct reduce_run run = {.limit_s = REDUCE_FIRST_S};
    if (!fuzz_engine_target->outlives_input && reduce_run(reduce_trial, 0, &run) && !run.failed &&
        !run.timed_out) {
        (void)LLVMFuzzerTestOneInput(reduce_trial, 0);
    }
}

/* ---------------------------------------------------------------- batches */
/* A part of a batch, one input or a run of them, that is being made smaller; the rest stays
 * unchanged. */
struct reduce_part {
    const struct reduce_run *first;
    const uint8_t *before;
    size_t before_bytes;
    const uint8_t *after;
    size_t after_bytes;
};

static uint8_t reduce_whole[REDUCE_INPUT_BYTES_MAX];

static size_t reduce_join(const struct reduce_part *part, const uint8_t *bytes, size_t size)
{
    uint32_t length = (uint32_t)size;
    size_t whole = part->before_bytes + sizeof(length) + size + part->after_bytes;
    if (whole > sizeof(reduce_whole)) {
        return 0;
    }
    uint8_t *at = reduce_whole;
    memcpy(at, part->before, part->before_bytes);
    at += part->before_bytes;
    memcpy(at, &length, sizeof(length));
    memcpy(at + sizeof(length), bytes, size);
    memcpy(at + sizeof(length) + size, part->after, part->after_bytes);
    return whole;
}

static bool reduce_part_holds(void *context, const uint8_t *bytes, size_t size)
{
    const struct reduce_part *part = context;
    struct reduce_run first = *part->first;
    size_t whole = reduce_join(part, bytes, size);
    return whole > 0 && reduce_holds(&first, reduce_whole, whole);
}

/* Finds the beginning of each input of the batch, and adds the batch's size. Returns the number of
 * inputs. */
static size_t reduce_find_inputs(const uint8_t *bytes, size_t size, size_t *starts, size_t most)
{
    const uint8_t *input;
    size_t input_size;
    size_t at = FUZZ_BATCH_HEADER_BYTES;
    size_t count = 0;
    for (size_t begin = at; count < most && fuzz_batch_next(bytes, size, &at, &input, &input_size);
         begin = at) {
        starts[count++] = begin;
    }
    starts[count] = size;
    return count;
}

enum { REDUCE_BATCH_MAX = 4096 };

/* Removes inputs in ever shorter runs. Returns the new size. */
static size_t reduce_inputs(struct reduce_run *first, uint8_t *bytes, size_t size, double seconds)
{
    static size_t starts[REDUCE_BATCH_MAX + 1];
    const uint64_t end_ns = clock_wall_ns() + (uint64_t)(seconds * 1e9);
    size_t count = reduce_find_inputs(bytes, size, starts, REDUCE_BATCH_MAX);
    for (size_t run = count / 2; run > 0; run /= 2) {
        for (size_t i = 0; i + run <= count && clock_wall_ns() < end_ns;) {
            size_t cut = starts[i + run] - starts[i];
            memcpy(reduce_trial, bytes, starts[i]);
            memcpy(reduce_trial + starts[i], bytes + starts[i + run], size - starts[i + run]);
            if (count > run && reduce_holds(first, reduce_trial, size - cut)) {
                size -= cut;
                memcpy(bytes, reduce_trial, size);
                count = reduce_find_inputs(bytes, size, starts, REDUCE_BATCH_MAX);
            } else {
                i += run;
            }
        }
    }
    return size;
}

/* Reduces the operations of each remaining input. Returns the new size. */
static size_t reduce_operations(struct fuzz_reduce *reduce, const struct reduce_run *first,
                                uint8_t *bytes, size_t size)
{
    static uint8_t input[REDUCE_INPUT_BYTES_MAX];
    static size_t starts[REDUCE_BATCH_MAX + 1];
    size_t count = reduce_find_inputs(bytes, size, starts, REDUCE_BATCH_MAX);
    double seconds = reduce->time_s_max / (double)(count > 0 ? count : 1);
    for (size_t i = count; i-- > 0;) {
        (void)reduce_find_inputs(bytes, size, starts, REDUCE_BATCH_MAX);
        size_t from = starts[i] + FUZZ_BATCH_SIZE_BYTES;
        size_t length = starts[i + 1] - from;
        struct reduce_part part = {first, bytes, starts[i], bytes + starts[i + 1],
                                   size - starts[i + 1]};
        reduce->test = reduce_part_holds;
        reduce->context = &part;
        reduce->time_s_max = seconds;
        memcpy(input, bytes + from, length);
        length = fuzz_reduce_input(reduce, input, length, reduce_trial);
        size = reduce_join(&part, input, length);
        memcpy(bytes, reduce_whole, size);
    }
    return size;
}

/* Reduces a batch. If one input is enough, it becomes that input. */
static size_t reduce_batch(struct fuzz_reduce *reduce, struct reduce_run *first, uint8_t *bytes,
                           size_t size)
{
    static size_t starts[REDUCE_BATCH_MAX + 1];
    size = reduce_inputs(first, bytes, size, reduce->time_s_max / 2);
    if (reduce_find_inputs(bytes, size, starts, REDUCE_BATCH_MAX) != 1) {
        return reduce_operations(reduce, first, bytes, size);
    }
    size -= starts[0] + FUZZ_BATCH_SIZE_BYTES;
    memmove(bytes, bytes + starts[0] + FUZZ_BATCH_SIZE_BYTES, size);
    return fuzz_reduce_input(reduce, bytes, size, reduce_trial);
}

static bool reduce_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return false;
    }
    *size = fread(reduce_bytes, 1, sizeof(reduce_bytes), file);
    bool good = ferror(file) == 0;
    return fclose(file) == 0 && good;
}

static bool reduce_write(const char *path, size_t size)
{
    FILE *file = fopen(path, "wbe");
    bool good = file != NULL && fwrite(reduce_bytes, 1, size, file) == size;
    return file != NULL && fclose(file) == 0 && good;
}

static int reduce_refuse(const char *what, int exit_status)
{
    (void)fprintf(stderr, "heapmill-fuzz: --reduce INPUT OUTPUT SECONDS: %s\n", what);
    return exit_status;
}

static int reduce_main(const char *input, const char *output, double seconds)
{
    size_t size;
    struct reduce_run first = {.limit_s = REDUCE_FIRST_S};
    if (!reduce_read(input, &size)) {
        return reduce_refuse("the input cannot be read", REDUCE_EXIT_ENVIRONMENT);
    }
    const size_t before = size;
    const uint64_t begin_ns = clock_wall_ns();
    if (!reduce_run(reduce_bytes, size, &first)) {
        return reduce_refuse("no process can be started", REDUCE_EXIT_ENVIRONMENT);
    }
    first.limit_s = 1 + 10 * (double)(clock_wall_ns() - begin_ns) / 1e9;
    bool palette = strcmp(fuzz_engine_target->format, "palette-1") == 0;
    struct fuzz_reduce reduce = {.test = reduce_holds,
                                 .context = &first,
                                 .header_bytes = palette ? PALETTE_HEADER_BYTES : 0,
                                 .unit_bytes = palette ? PALETTE_OPERATION_BYTES : 1,
                                 .tests_max = REDUCE_TESTS_MAX,
                                 .time_s_max = seconds};
    reduce_warm_up();
    if (first.failed && !first.timed_out) { /* with a hang each trial would take a minute */
        size = fuzz_is_batch(reduce_bytes, size)
                   ? reduce_batch(&reduce, &first, reduce_bytes, size)
                   : fuzz_reduce_input(&reduce, reduce_bytes, size, reduce_trial);
    }
    if (!reduce_write(output, size)) {
        return reduce_refuse("the output cannot be written", REDUCE_EXIT_ENVIRONMENT);
    }
    (void)fprintf(stderr, "heapmill-fuzz: REDUCED %zu bytes to %zu in %zu trials: %s\n", before,
                  size, reduce.tests,
                  first.timed_out ? "timeout"
                  : first.failed  ? first.key
                                  : "passes");
    return 0;
}

/* Prints the decoded input, in builds of any engine. */
static int reduce_print(const char *input)
{
    size_t size;
    if (!reduce_read(input, &size)) {
        (void)fprintf(stderr, "heapmill-fuzz: %s cannot be read\n", input);
        return REDUCE_EXIT_ENVIRONMENT;
    }
    fuzz_engine_target->print(reduce_bytes, size, stdout);
    return 0;
}

/* libFuzzer, AFL++'s driver and engine_random.c call this first. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char **arguments = *argv;
    if (*argc == 3 && strcmp(arguments[1], "--print") == 0) {
        exit(reduce_print(arguments[2]));
    }
    if (*argc < 2 || strcmp(arguments[1], "--reduce") != 0) {
        return 0;
    }
    char *end = NULL;
    double seconds = *argc == 5 ? strtod(arguments[4], &end) : 0;
    if (end == NULL || *end != '\0' || !(seconds > 0 && seconds < 1e6)) {
        exit(reduce_refuse("takes three arguments", REDUCE_EXIT_USAGE));
    }
    exit(reduce_main(arguments[2], arguments[3], seconds));
}
