/* Runs the groups that are named on the command line, or all of them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/tests/gc_test.h"

enum {
    GC_TEST_SKIPPED = 77,
    GC_TEST_STACK_BYTES = 256 * 1024,
};

bool gc_test_long;

bool gc_test_open(struct gc_fixture *fixture, const struct heap_options *options)
{
    if (heap_open(&fixture->heap, options, NULL) != STATUS_OK) {
        return false;
    }
    fixture->blocks_at_start = heap_probe.live_blocks;
    fixture->bytes_at_start = heap_probe.live_bytes;
    fixture->runtime = runtime_open(&fixture->heap, NULL);
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

void *gc_test_on_small_stack(void *(*body)(void *context), void *context)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, GC_TEST_STACK_BYTES);
    if (pthread_create(&thread, &attributes, body, context) != 0) {
        abort();
    }
    pthread_join(thread, &result);
    pthread_attr_destroy(&attributes);
    return result;
}

static bool main_is_asked(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") != 0) {
            any = true;
            if (strcmp(argv[i], name) == 0) {
                return true;
            }
        }
    }
    return !any;
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
    const char *reason = main_is_not_applicable();
    if (reason != NULL) {
        printf("not applicable: %s\n", reason);
        return GC_TEST_SKIPPED;
    }
    gc_test_long = argc > 1 && strcmp(argv[1], "--long") == 0;
    int failed = 0;
    for (const struct gc_test_group *group = gc_test_table; group->name != NULL; group++) {
        if (main_is_asked(group->name, argc, argv)) {
            failed += group->run();
        }
    }
    return failed == 0 ? 0 : 1;
}
