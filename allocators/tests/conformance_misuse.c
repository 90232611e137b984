/* Misuse, one tiny child process for each: it must die of SIGABRT, having said exactly one fixed
 * sentence. For back ends with HEAP_CAN_DETECT_MISUSE; the suite is compiled with HEAPMILL_CHECKED.
 */
#include "allocators/tests/conformance.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static _Alignas(64) unsigned char misuse_foreign[4096];

/* Each gets a heap with some traffic behind it. */
static void misuse_double_free(struct heap *heap)
{
    void *block = heap_alloc(heap, 48, HEAP_RAW);
    heap_free(heap, block, 48, HEAP_RAW);
    heap_free(heap, block, 48, HEAP_RAW);
}

static void misuse_double_free_later(struct heap *heap)
{
    void *first = heap_alloc(heap, 48, HEAP_RAW);
    void *second = heap_alloc(heap, 48, HEAP_RAW);
    heap_free(heap, first, 48, HEAP_RAW);
    heap_free(heap, second, 48, HEAP_RAW);
    heap_free(heap, first, 48, HEAP_RAW);
}

static void misuse_double_free_typed(struct heap *heap, size_t size, enum heap_type type)
{
    void *first = heap_alloc(heap, size, type);
    void *second = heap_alloc(heap, size, type);
    heap_free(heap, first, size, type);
    heap_free(heap, second, size, type);
    heap_free(heap, first, size, type);
}

static void misuse_double_free_int(struct heap *heap)
{
    misuse_double_free_typed(heap, HEAP_INT_BYTES, HEAP_INT);
}

static void misuse_double_free_list(struct heap *heap)
{
    misuse_double_free_typed(heap, HEAP_LIST_BYTES, HEAP_LIST);
}

static void misuse_double_free_after_trim(struct heap *heap)
{
    void *other = heap_alloc(heap, HEAP_TUPLE_BYTES + 16, HEAP_TUPLE);
    void *block = heap_alloc(heap, HEAP_TUPLE_BYTES + 16, HEAP_TUPLE);
    heap_free(heap, block, HEAP_TUPLE_BYTES + 16, HEAP_TUPLE);
    heap_trim(heap);
    heap_free(heap, block, HEAP_TUPLE_BYTES + 16, HEAP_TUPLE);
    heap_free(heap, other, HEAP_TUPLE_BYTES + 16, HEAP_TUPLE);
}

static void misuse_resize_after_free(struct heap *heap)
{
    void *block = heap_alloc(heap, 48, HEAP_RAW);
    heap_free(heap, block, 48, HEAP_RAW);
    (void)heap_resize(heap, block, 48, 200, HEAP_RAW);
}

static void misuse_too_large(struct heap *heap)
{
    heap_free(heap, heap_alloc(heap, 32, HEAP_RAW), 200, HEAP_RAW);
}

static void misuse_too_small(struct heap *heap)
{
    heap_free(heap, heap_alloc(heap, 200, HEAP_RAW), 32, HEAP_RAW);
}

static void misuse_raw_as_int(struct heap *heap)
{
    heap_free(heap, heap_alloc(heap, 200, HEAP_RAW), HEAP_INT_BYTES, HEAP_INT);
}

static void misuse_int_as_raw(struct heap *heap)
{
    heap_free(heap, heap_alloc(heap, HEAP_INT_BYTES, HEAP_INT), 200, HEAP_RAW);
}

static void misuse_raw_as_list(struct heap *heap)
{
    heap_free(heap, heap_alloc(heap, 200, HEAP_RAW), HEAP_LIST_BYTES, HEAP_LIST);
}

static void misuse_foreign_raw(struct heap *heap)
{
    heap_free(heap, misuse_foreign + 1024, 48, HEAP_RAW);
}

static void misuse_foreign_int(struct heap *heap)
{
    heap_free(heap, misuse_foreign + 1024, HEAP_INT_BYTES, HEAP_INT);
}

static void misuse_foreign_list(struct heap *heap)
{
    heap_free(heap, misuse_foreign + 1024, HEAP_LIST_BYTES, HEAP_LIST);
}

static void misuse_interior(struct heap *heap)
{
    unsigned char *block = heap_alloc(heap, 64, HEAP_RAW);
    heap_free(heap, block + 16, 64, HEAP_RAW);
}

static void misuse_interior_int(struct heap *heap)
{
    unsigned char *block = heap_alloc(heap, HEAP_INT_BYTES, HEAP_INT);
    heap_free(heap, block + 8, HEAP_INT_BYTES, HEAP_INT);
}

/* The control: what is right passes in silence. */
static void misuse_none(struct heap *heap)
{
    void *block = heap_alloc(heap, 48, HEAP_RAW);
    block = heap_resize(heap, block, 48, 200, HEAP_RAW);
    heap_free(heap, block, 200, HEAP_RAW);
    heap_free(heap, heap_alloc(heap, HEAP_INT_BYTES, HEAP_INT), HEAP_INT_BYTES, HEAP_INT);
    heap_free(heap, heap_alloc(heap, HEAP_INT_BYTES, HEAP_INT), HEAP_INT_BYTES, HEAP_INT);
}

struct misuse_case {
    const char *name;
    void (*commit)(struct heap *heap);
    const char *text; /* of fatal(); NULL: none */
    bool needs_size;  /* not to be seen by the arm `call`, which is told no size */
};

static const struct misuse_case misuse_cases[] = {
    {"none", misuse_none, NULL, false},
    {"double free", misuse_double_free, HEAP_FATAL_DOUBLE_FREE, false},
    {"double free, later", misuse_double_free_later, HEAP_FATAL_DOUBLE_FREE, false},
    {"double free of an int", misuse_double_free_int, HEAP_FATAL_DOUBLE_FREE, false},
    {"double free of a list", misuse_double_free_list, HEAP_FATAL_DOUBLE_FREE, false},
    {"double free after trim", misuse_double_free_after_trim, HEAP_FATAL_DOUBLE_FREE, false},
    {"resize after free", misuse_resize_after_free, HEAP_FATAL_DOUBLE_FREE, false},
    {"free with a larger size", misuse_too_large, HEAP_FATAL_WRONG_SIZE, true},
    {"free with a smaller size", misuse_too_small, HEAP_FATAL_WRONG_SIZE, true},
    {"raw block freed as an int", misuse_raw_as_int, HEAP_FATAL_WRONG_SIZE, true},
    {"int freed as a raw block", misuse_int_as_raw, HEAP_FATAL_WRONG_SIZE, true},
    {"raw block freed as a list", misuse_raw_as_list, HEAP_FATAL_WRONG_SIZE, true},
    {"foreign pointer", misuse_foreign_raw, HEAP_FATAL_NOT_OURS, false},
    {"foreign pointer as an int", misuse_foreign_int, HEAP_FATAL_NOT_OURS, false},
    {"foreign pointer as a list", misuse_foreign_list, HEAP_FATAL_NOT_OURS, false},
    {"interior pointer", misuse_interior, HEAP_FATAL_NOT_OURS, false},
    {"interior pointer of an int", misuse_interior_int, HEAP_FATAL_NOT_OURS, false},
};

/* In the child: standard error is the pipe, no core file, and signals kill. */
__attribute__((noreturn)) static void misuse_child(const struct misuse_case *misuse, int pipe_end)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGABRT, SIG_DFL);
    (void)signal(SIGSEGV, SIG_DFL);
    (void)dup2(pipe_end, STDERR_FILENO);
    static struct heap heap;
    if (heap_open(&heap, NULL, NULL) != STATUS_OK) {
        _exit(2);
    }
    /* Traffic: pools, lists and carved blocks are in use when the misuse comes. */
    static void *blocks[200];
    for (size_t i = 0; i < 200; i++) {
        blocks[i] =
            heap_alloc(&heap, i % 2 == 0 ? 48 : HEAP_INT_BYTES, i % 2 == 0 ? HEAP_RAW : HEAP_INT);
    }
    for (size_t i = 0; i < 100; i++) {
        heap_free(&heap, blocks[i], i % 2 == 0 ? 48 : HEAP_INT_BYTES,
                  i % 2 == 0 ? HEAP_RAW : HEAP_INT);
    }
    misuse->commit(&heap);
    _exit(0);
}

static size_t misuse_read_all(int fd, char *text, size_t capacity)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = read(fd, text + length, capacity - 1 - length);
        if (got <= 0) {
            text[length] = '\0';
            return length;
        }
        length += (size_t)got;
    }
}

static void misuse_run_case(const struct misuse_case *misuse)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        misuse_child(misuse, ends[1]);
    }
    close(ends[1]);
    char said[4096];
    (void)misuse_read_all(ends[0], said, sizeof(said));
    close(ends[0]);
    char *emulator =
        strstr(said, "qemu: "); /* adds a line about the signal that killed the child */
    if (emulator != NULL) {
        *emulator = '\0';
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    char expected[256] = "";
    if (misuse->text != NULL) {
        (void)snprintf(expected, sizeof(expected), "heapmill: fatal: %s\n", misuse->text);
    }
    bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    bool left = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (strcmp(said, expected) != 0 || !(misuse->text != NULL ? died : left)) {
        fail_msg("%s: wait status %#x, and it said \"%s\" instead of \"%s\"", misuse->name,
                 (unsigned)status, said, expected);
    }
}

static void misuse_ends_in_a_fixed_sentence(void **state)
{
    (void)state;
    if (!CONFORMANCE_CAN(HEAP_CAN_DETECT_MISUSE)) {
        skip();
    }
    for (size_t i = 0; i < sizeof(misuse_cases) / sizeof(misuse_cases[0]); i++) {
        if (!misuse_cases[i].needs_size || HEAPMILL_ARM != HEAPMILL_ARM_CALL) {
            misuse_run_case(&misuse_cases[i]);
        }
    }
}

int conformance_misuse_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse_ends_in_a_fixed_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
