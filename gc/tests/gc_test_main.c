/* gc-tests-BINDING [--long] [--collector NAME|all|K/N] [GROUP…]: runs the groups that are named, or
 * all of them, under the default collector, the one of that name, each in turn, or each N-th, from
 * the K-th on (K from 0). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/tests/gc_test.h"
#include "gc/world.h"

enum {
    GC_TEST_SKIPPED = 77,
    GC_TEST_STACK_BYTES = 256 * 1024,
};

bool gc_test_long;
static const struct gc_policy *main_policy;

const struct gc_policy *gc_test_policy(void)
{
    return main_policy;
}

struct runtime *gc_test_reopen(struct gc_fixture *fixture, const struct gc_policy *policy)
{
    assert_int_equal(runtime_close(fixture->runtime), 0);
    fixture->runtime = runtime_open_with(&fixture->heap, policy, NULL);
    assert_non_null(fixture->runtime);
    gc_enable(fixture->runtime, false);
    fixture->objects_at_start = runtime_objects_live(fixture->runtime);
    return fixture->runtime;
}

struct object *gc_test_make_ring(struct runtime *runtime, int count)
{
    struct object *first = list_new(runtime);
    struct object *last = object_incref(first);
    for (int i = 1; i < count; i++) {
        struct object *next = list_new(runtime);
        assert_true(list_append(runtime, next, last));
        object_decref(runtime, last);
        last = next;
    }
    assert_true(list_append(runtime, first, last));
    object_decref(runtime, first);
    return last;
}

bool gc_test_open(struct gc_fixture *fixture, const struct heap_options *options)
{
    fixture->mapped_at_start = gc_test_scratch.mapped_bytes;
    if (heap_open(&fixture->heap, options, NULL) != STATUS_OK) {
        return false;
    }
    fixture->blocks_at_start = heap_probe.live_blocks;
    fixture->bytes_at_start = heap_probe.live_bytes;
    fixture->runtime = runtime_open_with(&fixture->heap, main_policy, NULL);
    if (fixture->runtime == NULL) {
        heap_close(&fixture->heap);
        return false;
    }
    fixture->objects_at_start = runtime_objects_live(fixture->runtime);
    return true;
}

uint64_t gc_test_close(struct gc_fixture *fixture)
{
    uint64_t wrong = gc_check(fixture->runtime);
#ifdef HEAPMILL_LEDGER
    wrong += ledger_live(fixture->runtime) != runtime_objects_live(fixture->runtime);
#endif
    wrong += runtime_close(fixture->runtime);
    wrong += heap_check(&fixture->heap);
    /* Bytes as asked: a free with another size than the block's leaves a difference. */
    wrong += heap_probe.live_blocks - fixture->blocks_at_start;
    wrong += heap_probe.live_bytes - fixture->bytes_at_start;
    if (HEAP_CAPABILITIES & HEAP_CAN_STATS) {
        struct heap_stats stats;
        heap_stats(&fixture->heap, &stats);
        wrong += stats.blocks_live;
    }
    heap_close(&fixture->heap);
    wrong += gc_test_scratch.mapped_bytes != fixture->mapped_at_start;
    return wrong;
}

int gc_test_setup(void **state)
{
    static const struct heap_options options;
    struct gc_fixture *fixture = calloc(1, sizeof(*fixture));
    *state = fixture;
    return fixture != NULL && gc_test_open(fixture, &options) ? 0 : -1;
}

int gc_test_teardown(void **state)
{
    struct gc_fixture *fixture = *state;
    uint64_t wrong = gc_test_close(fixture);
    free(fixture);
    if (wrong != 0) {
        fprintf(stderr, "%llu objects, blocks or invariants are wrong at the end\n",
                (unsigned long long)wrong);
    }
    return wrong == 0 ? 0 : -1;
}

#ifdef GC_THREADS
struct main_body {
    void *(*body)(void *context);
    void *context;
};

static void *main_attached(void *context)
{
    const struct main_body *main_body = context;
    if (!gc_thread_attach(gc_world_runtime)) {
        abort();
    }
    void *result = main_body->body(main_body->context);
    gc_thread_leave(gc_world_runtime);
    return result;
}
#endif

void *gc_test_on_small_stack(void *(*body)(void *context), void *context)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
#ifdef GC_THREADS
    struct main_body main_body = {body, context};
    struct runtime *runtime = gc_world_runtime;
    if (runtime != NULL) { /* else the body opens one of its own */
        body = main_attached;
        context = &main_body;
        gc_thread_detach(runtime);
    }
#endif
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, GC_TEST_STACK_BYTES);
    if (pthread_create(&thread, &attributes, body, context) != 0) {
        abort();
    }
    pthread_join(thread, &result);
    pthread_attr_destroy(&attributes);
#ifdef GC_THREADS
    if (runtime != NULL && !gc_thread_attach(runtime)) {
        abort();
    }
#endif
    return result;
}

struct main_arguments {
    const char *collector; /* NULL: the default; "all"; "K/N" */
    char **groups;
    int group_count;
};

/* Options come before the groups. */
static struct main_arguments main_parse(int argc, char **argv)
{
    struct main_arguments arguments = {.collector = NULL};
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--long") == 0) {
            gc_test_long = true;
        } else if (strcmp(argv[i], "--collector") == 0 && i + 1 < argc) {
            arguments.collector = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--long] [--collector NAME|all|K/N] [GROUP...]\n", argv[0]);
            exit(2);
        }
    }
    arguments.groups = argv + i;
    arguments.group_count = argc - i;
    return arguments;
}

static bool main_is_asked(const char *name, const struct main_arguments *arguments)
{
    for (int i = 0; i < arguments->group_count; i++) {
        if (strcmp(arguments->groups[i], name) == 0) {
            return true;
        }
    }
    return arguments->group_count == 0;
}

/* The number of failed tests. */
static int main_run(const struct main_arguments *arguments, const struct gc_policy *policy)
{
    int failed = 0;
    main_policy = policy;
    for (const struct gc_test_group *group = gc_test_table; group->name != NULL; group++) {
        if (main_is_asked(group->name, arguments)) {
            failed += group->run();
        }
    }
    if (failed != 0) {
        fprintf(stderr, "%d tests failed with --collector %s\n", failed, gc_policy_name(policy));
    }
    return failed;
}

static int main_run_each(const struct main_arguments *arguments, size_t first, size_t step)
{
    int failed = 0;
    for (size_t i = 0; gc_policy_table[i] != NULL; i++) {
        if (i % step != first) {
            continue;
        }
        printf("collector %s\n", gc_policy_name(gc_policy_table[i]));
        failed += main_run(arguments, gc_policy_table[i]);
    }
    return failed;
}

/* Why these tests cannot run over this back end, or NULL. */
static const char *main_is_not_applicable(void)
{
    static const struct heap_options options;
    static struct heap heap;
    static struct error error;
    if (!(HEAP_CAPABILITIES & HEAP_KEEPS_CONTENTS)) {
        return HEAPMILL_BACKEND_NAME " does not keep contents";
    }
    enum status status = heap_open(&heap, &options, &error);
    if (status == STATUS_UNSUPPORTED) { /* a sized free that the malloc in force does not have */
        return error.message;
    }
    if (status == STATUS_OK) {
        heap_close(&heap);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct error error;
    const struct main_arguments arguments = main_parse(argc, argv);
    const char *reason = main_is_not_applicable();
    if (reason != NULL) {
        printf("not applicable: %s\n", reason);
        return GC_TEST_SKIPPED;
    }
    size_t first = 0;
    size_t step = 0;
    if (arguments.collector != NULL && strcmp(arguments.collector, "all") == 0) {
        return main_run_each(&arguments, 0, 1) == 0 ? 0 : 1;
    }
    if (arguments.collector != NULL && sscanf(arguments.collector, "%zu/%zu", &first, &step) == 2 &&
        first < step) {
        return main_run_each(&arguments, first, step) == 0 ? 0 : 1;
    }
    const struct gc_policy *policy = arguments.collector == NULL
                                         ? gc_policy_default()
                                         : gc_policy_find(arguments.collector, &error);
    if (policy == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    return main_run(&arguments, policy) == 0 ? 0 : 1;
}
