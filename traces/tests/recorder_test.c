/* Programs under the recorder: what they did is in their traces, in the odd moments of a process's
 * life too. The program is this one, with the name of what it is to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/host/process.h"
#include "common/host/text.h"
#include "common/tests/test_directory.h"
#include "traces/host/info.h"
#include "traces/host/record.h"
#include "traces/reader.h"

static char *self;

/* Sizes that nothing else asks for. */
enum { ODD = 7777, BLOCKS = 1000, MANY = 300000 };

/* ------------------------------------------------------------------------------ programs */

static void *keep(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static int program_family(void)
{
    void *aligned = NULL;
    void *block = keep(malloc(ODD));
    block = keep(realloc(block, ODD + 1));
    free(block);
    free(keep(calloc(1, ODD + 2)));
    if (posix_memalign(&aligned, 256, ODD + 3) == 0) {
        free(keep(aligned));
    }
    block = keep(malloc(ODD + 4));
    (void)!keep(realloc(block, 0));
    block = keep(malloc(ODD + 5));
    if (realloc(block, SIZE_MAX / 2) == NULL) {
        free(block);
    }
    return 0;
}

static void *thread_take(void *context)
{
    void **blocks = context;
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = keep(malloc(ODD));
    }
    return NULL;
}

/* Blocks of one thread, given back by another. */
static int program_threads(void)
{
    static void *blocks[4][BLOCKS];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        (void)pthread_create(&threads[i], NULL, thread_take, blocks[i]);
    }
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        for (int j = 0; j < BLOCKS; j++) {
            free(blocks[i][j]);
        }
    }
    return 0;
}

enum { HANDS = 64, HANDS_THREADS = 4, HANDS_ROUNDS = 100000 };
static void *hands[HANDS];

/* Puts a block where another one lies, and gives that one back. */
static void *thread_hand_over(void *context)
{
    uint32_t random = (uint32_t)(uintptr_t)context;
    for (int i = 0; i < HANDS_ROUNDS; i++) {
        random = random * 1664525 + 1013904223;
        void *block = keep(malloc(ODD));
        free(__atomic_exchange_n(&hands[(random >> 16) % HANDS], block, __ATOMIC_ACQ_REL));
        if (i % HANDS == 0) {
            (void)sched_yield();
        }
    }
    return NULL;
}

/* Blocks go from hand to hand all the time, through many chunks. */
static int program_hands(void)
{
    pthread_t threads[HANDS_THREADS];
    for (uintptr_t i = 0; i < HANDS_THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, thread_hand_over, (void *)(i + 1));
    }
    for (int i = 0; i < HANDS_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < HANDS; i++) {
        free(hands[i]);
    }
    return 0;
}

/* The same, until the process is killed in the middle of it. */
static int program_killed_threads(void)
{
    pthread_t thread;
    for (uintptr_t i = 0; i < HANDS_THREADS; i++) {
        (void)pthread_create(&thread, NULL, thread_hand_over, (void *)(i + 1));
    }
    (void)thread_hand_over(NULL);
    (void)raise(SIGKILL);
    return 0;
}

static int program_fork(void)
{
    void *block = keep(malloc(ODD));
    pid_t child = fork();
    if (child == 0) {
        free(block); /* the parent's */
        for (int i = 0; i < BLOCKS; i++) {
            free(keep(malloc(ODD + 1)));
        }
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
    free(block);
    return 0;
}

/* More than one chunk before the exec, so that its first one has been read by then. */
static int program_exec(void)
{
    for (int i = 0; i < MANY; i++) {
        free(keep(malloc(ODD)));
    }
    (void)execl("/proc/self/exe", "recorder_test", "family", (char *)NULL);
    return 1;
}

static int program_killed(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        (void)keep(malloc(ODD));
    }
    (void)raise(SIGKILL);
    return 0;
}

static int program_exit(void)
{
    (void)puts("said");
    return 42;
}

static const struct {
    const char *name;
    int (*run)(void);
} programs[] = {
    {"family", program_family}, {"threads", program_threads},
    {"fork", program_fork},     {"exec", program_exec},
    {"killed", program_killed}, {"exit", program_exit},
    {"hands", program_hands},   {"killed-threads", program_killed_threads},
};

/* ------------------------------------------------------------------------------ recording */

static json_t *record_sites(const char *name, bool sites, struct trace_recorded *recorded)
{
    char *command[] = {self, (char *)(uintptr_t)name, NULL};
    char *output = text_format("%s/%s.hmtrace", directory, name);
    struct error error = {.message = ""};
    const struct trace_recording recording = {.command = command,
                                              .library = TRACE_RECORDER,
                                              .output = output,
                                              .sample = 1,
                                              .sites = sites};
    if (trace_record(&recording, recorded, &error) != STATUS_OK) {
        fail_msg("%s: %s", name, error.message);
    }
    free(output);
    return recorded->processes;
}

static json_t *record(const char *name, struct trace_recorded *recorded)
{
    return record_sites(name, false, recorded);
}

/* Events of a size in the trace of a process: takes and gives, and those by another thread. */
struct counted {
    uint64_t takes, gives, remote, resizes_to, resizes_from, alignment;
};

static struct counted count(const json_t *process, uint64_t size)
{
    struct counted counted = {0};
    struct trace_reader reader;
    struct trace_arena arena = {.count = 0};
    const struct trace_event *events;
    size_t got;
    static uint16_t threads[1 << 20];
    const char *path = json_string_value(json_object_get(process, "file"));
    assert_int_equal(trace_reader_open(&reader, path, trace_arena_take, &arena, NULL), STATUS_OK);
    assert_true(reader.totals.whole);
    while (trace_reader_next(&reader, &events, &got, NULL) == STATUS_OK && got > 0) {
        for (size_t i = 0; i < got; i++) {
            const struct trace_event *event = &events[i];
            bool take = event->operation <= TRACE_TAKE_ALIGNED;
            threads[event->slot] = take ? event->thread : threads[event->slot];
            counted.resizes_to += event->operation == TRACE_RESIZE && event->size == size;
            counted.resizes_from += event->operation == TRACE_RESIZE && event->old_size == size;
            if (event->size == size && event->operation != TRACE_RESIZE) {
                counted.takes += take;
                counted.gives += !take;
                counted.remote += !take && threads[event->slot] != event->thread;
                counted.alignment = take ? event->alignment_log2 : counted.alignment;
            }
        }
    }
    trace_reader_close(&reader);
    trace_arena_release(&arena);
    return counted;
}

static void expect(const json_t *process, uint64_t size, uint64_t takes, uint64_t gives)
{
    struct counted counted = count(process, size);
    assert_int_equal(counted.takes, takes);
    assert_int_equal(counted.gives, gives);
}

static void expect_family(const json_t *process)
{
    expect(process, ODD, 1, 0); /* it became another by realloc */
    expect(process, ODD + 1, 0, 1);
    assert_int_equal(count(process, ODD).resizes_from, 1);
    assert_int_equal(count(process, ODD + 1).resizes_to, 1);
    for (uint64_t more = 2; more <= 5; more++) {
        expect(process, ODD + more, 1, 1);
    }
    assert_int_equal(count(process, ODD + 3).alignment, 8);
}

static void test_family(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("family", &recorded);
    assert_int_equal(json_array_size(processes), 1);
    expect_family(json_array_get(processes, 0));
    json_decref(processes);
}

static void test_threads(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("threads", &recorded);
    struct counted counted = count(json_array_get(processes, 0), ODD);
    assert_int_equal(counted.takes, 4 * BLOCKS);
    assert_int_equal(counted.gives, 4 * BLOCKS);
    assert_int_equal(counted.remote, 4 * BLOCKS);
    json_decref(processes);
}

static json_int_t end_of(const json_t *process, const char *member)
{
    json_t *info = trace_info(json_string_value(json_object_get(process, "file")), NULL);
    json_int_t value = json_integer_value(json_object_get(json_object_get(info, "end"), member));
    json_decref(info);
    return value;
}

/* Of each address the events are in their true order: nothing is taken twice or given back
 * unseen. */
static void test_hands(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("hands", &recorded);
    const json_t *process = json_array_get(processes, 0);
    expect(process, ODD, HANDS_THREADS * HANDS_ROUNDS, HANDS_THREADS * HANDS_ROUNDS);
    assert_true(count(process, ODD).remote > HANDS);
    assert_int_equal(end_of(process, "doubles"), 0);
    assert_int_equal(end_of(process, "strangers"), 0);
    json_decref(processes);
}

/* All of them are taken in one place of the program. */
static void test_sites(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record_sites("hands", true, &recorded);
    const json_t *process = json_array_get(processes, 0);
    expect(process, ODD, HANDS_THREADS * HANDS_ROUNDS, HANDS_THREADS * HANDS_ROUNDS);
    json_t *info = trace_info(json_string_value(json_object_get(process, "file")), NULL);
    const json_t *first = json_array_get(json_object_get(info, "sites"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "takes")),
                     HANDS_THREADS * HANDS_ROUNDS);
    json_decref(info);
    json_decref(processes);
}

static void test_killed_threads(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("killed-threads", &recorded);
    const json_t *process = json_array_get(processes, 0);
    assert_int_equal(recorded.signal, SIGKILL);
    assert_true(count(process, ODD).takes >= HANDS_ROUNDS);
    assert_int_equal(end_of(process, "doubles"), 0);
    json_decref(processes);
}

static void test_fork(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("fork", &recorded);
    assert_int_equal(json_array_size(processes), 2);
    const json_t *child = json_array_get(processes, 1);
    expect(json_array_get(processes, 0), ODD, 1, 1);
    expect(child, ODD, 0, 0); /* a stranger */
    expect(child, ODD + 1, BLOCKS, BLOCKS);
    assert_int_equal(json_integer_value(json_object_get(child, "parent")), 1);
    json_decref(processes);
}

static void test_exec(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("exec", &recorded);
    assert_int_equal(json_array_size(processes), 2);
    expect(json_array_get(processes, 0), ODD, MANY, MANY);
    expect_family(json_array_get(processes, 1));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(processes, 1), "parent")),
                     1);
    json_decref(processes);
}

static void test_killed(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("killed", &recorded);
    assert_int_equal(recorded.signal, SIGKILL);
    expect(json_array_get(processes, 0), ODD, BLOCKS, 0);
    json_decref(processes);
}

/* The program's exit status is its own; what it was given is there to be read. */
static void test_exit(void **state)
{
    (void)state;
    struct trace_recorded recorded;
    json_t *processes = record("exit", &recorded);
    assert_int_equal(recorded.exit_code, 42);
    const json_t *process = json_array_get(processes, 0);
    json_t *info = trace_info(json_string_value(json_object_get(process, "file")), NULL);
    assert_non_null(info);
    const json_t *totals = json_object_get(info, "totals");
    assert_int_equal(json_integer_value(json_object_get(totals, "live_bytes_peak")),
                     json_integer_value(json_object_get(process, "live_bytes_peak")));
    json_decref(info);
    json_decref(processes);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (strcmp(argv[1], programs[i].name) == 0) {
            return programs[i].run();
        }
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_family), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_fork),   cmocka_unit_test(test_exec),
        cmocka_unit_test(test_killed), cmocka_unit_test(test_exit),
        cmocka_unit_test(test_hands),  cmocka_unit_test(test_killed_threads),
        cmocka_unit_test(test_sites),
    };
    self = realpath("/proc/self/exe", NULL);
    int failed = cmocka_run_group_tests(tests, make_directory, remove_directory);
    free(self);
    return failed;
}
