/* The malloc family at the odd moments of a process's life: while threads end, at exit, between
 * fork and its handlers, after vfork, in plug-ins. Runs on glibc's own malloc and with each library
 * preloaded. */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 200, BLOCKS = 50, SECONDS_MAX = 20 };

/* Blocks of many sizes, written to, resized and freed. */
static bool churn(void)
{
    unsigned char *blocks[BLOCKS];
    bool good = true;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = 1 + i * i;
        blocks[i] = malloc(size);
        memset(blocks[i], (int)i, size);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        good = good && blocks[i][i * i] == (unsigned char)i;
        blocks[i] = realloc(blocks[i], 1 + i);
        free(blocks[i]);
    }
    return good;
}

/* Runs what a child does, which ends by itself if it hangs; did it end with 0? */
static bool child_is_good(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0;
}

/* ---------------------------------------------------------------- threads end */
static pthread_key_t keys[3];
static atomic_int destroyed;

/* Frees, allocates, and comes back until the C library has had enough. */
static void destroy_and_come_back(void *value)
{
    free(value);
    destroyed += churn();
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (pthread_getspecific(keys[i]) == NULL) {
            (void)pthread_setspecific(keys[i], malloc(100 + i));
        }
    }
}

static void *thread_with_destructors(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void)pthread_setspecific(keys[i], malloc(100 + i));
    }
    return malloc(300); /* freed by the thread that joins */
}

/* Keys that are older and younger than any of the library's: its own destructor runs between. */
static void threads_end_with_destructors_that_allocate(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(pthread_key_create(&keys[i], destroy_and_come_back), 0);
    }
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        void *block;
        assert_int_equal(pthread_create(&thread, NULL, thread_with_destructors, NULL), 0);
        assert_int_equal(pthread_join(thread, &block), 0);
        memset(block, 1, 300);
        free(block);
    }
    assert_true(destroyed >= 3 * ROUNDS);
    /* A few blocks a thread are lost by the test itself: what the last round set. */
    assert_true(mallinfo2().uordblks < before + (size_t)ROUNDS * 4096 + (1 << 20));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void)pthread_key_delete(keys[i]);
    }
}

/* ---------------------------------------------------------------- the process ends */
static void *kept_for_exit;

static void free_at_exit(void)
{
    free(kept_for_exit);
    if (!churn()) {
        _exit(3);
    }
}

static void *exit_from_here(void *argument)
{
    (void)argument;
    exit(0);
}

/* atexit handlers and destructors free, also when another thread exits while this one allocates. */
static void blocks_are_freed_at_exit(void **state)
{
    (void)state;
    for (int from_thread = 0; from_thread < 2; from_thread++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            (void)alarm(SECONDS_MAX);
            kept_for_exit = malloc(5000);
            (void)atexit(free_at_exit);
            if (from_thread == 0) {
                exit(0);
            }
            (void)pthread_create(&thread, NULL, exit_from_here, NULL);
            while (churn()) {
            }
        }
        assert_true(child_is_good(child));
    }
}

/* ---------------------------------------------------------------- fork */
static atomic_int handler_runs;
static atomic_bool stop;

static void handler_that_allocates(void)
{
    handler_runs += churn();
}

/* Before any library's constructor: the handlers are older than anybody's, so that they run last
 * before a fork, when the heap's own lock may be held already. */
static void register_first(void)
{
    (void)pthread_atfork(handler_that_allocates, handler_that_allocates, handler_that_allocates);
}
__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = register_first;

static void *allocate_until_stopped(void *argument)
{
    while (!stop && churn()) {
    }
    return argument;
}

static void fork_handlers_may_allocate(void **state)
{
    (void)state;
    pthread_t thread;
    (void)pthread_atfork(handler_that_allocates, handler_that_allocates, handler_that_allocates);
    stop = false;
    assert_int_equal(pthread_create(&thread, NULL, allocate_until_stopped, NULL), 0);
    (void)alarm(SECONDS_MAX); /* ends the test if the parent hangs */
    handler_runs = 0;
    for (int i = 0; i < ROUNDS / 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)alarm(SECONDS_MAX);
            _exit(churn() ? 0 : 1);
        }
        assert_true(child_is_good(child));
    }
    (void)alarm(0);
    stop = true;
    (void)pthread_join(thread, NULL);
    assert_int_equal(handler_runs, 2 * 2 * (ROUNDS / 10)); /* two sets, before and after */
}

/* The child has its parent's memory until it ends. */
static void children_of_vfork_may_allocate(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS / 10; i++) {
        static void *volatile block;
        pid_t child = vfork(); // NOLINT: it is what is tested
        if (child == 0) {
            block = malloc(200); // NOLINT
            _exit(block == NULL);
        }
        assert_true(child_is_good(child));
        memset(block, 1, 200);
        free(block);
        assert_true(churn());
    }
}

/* ---------------------------------------------------------------- plug-ins */
/* Memory that a plug-in gets from the C library's own strdup is freed by the plug-in, and by us; it
 * frees ours. With RTLD_DEEPBIND it finds the C library's free first. */
static void plugins_share_the_heap(void **state)
{
    (void)state;
    static const int modes[] = {RTLD_NOW, RTLD_LAZY, RTLD_NOW | RTLD_DEEPBIND,
                                RTLD_LAZY | RTLD_DEEPBIND};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        void *plugin = dlopen(PRELOAD_PLUGIN, modes[i]);
        char *(*copy)(const char *);
        void (*release)(void *);
        if (plugin == NULL) {
            fail_msg("%s", dlerror());
        }
        *(void **)&copy = dlsym(plugin, "plugin_copy");
        *(void **)&release = dlsym(plugin, "plugin_release");
        for (size_t size = 1; size < 3000; size = size * 2 + 1) {
            char text[3000];
            memset(text, 'x', size);
            text[size] = '\0';
            char *given = copy(text);
            assert_string_equal(given, text);
            release(given);
            free(copy(text));
            release(strdup(text));
            release(malloc(size));
        }
        assert_int_equal(dlclose(plugin), 0);
    }
}

/* The plug-in's own RUNPATH is searched when it loads a library, and not the program's. */
static void plugins_find_their_neighbours(void **state)
{
    (void)state;
    void *plugin = dlopen(PRELOAD_PLUGIN, RTLD_NOW);
    assert_non_null(plugin);
    void *(*load)(const char *);
    *(void **)&load = dlsym(plugin, "plugin_load");
    assert_null(dlopen("libheapmill_test_neighbour.so", RTLD_NOW));
    assert_non_null(load("libheapmill_test_neighbour.so"));
    (void)dlclose(plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_end_with_destructors_that_allocate),
        cmocka_unit_test(blocks_are_freed_at_exit),
        cmocka_unit_test(fork_handlers_may_allocate),
        cmocka_unit_test(children_of_vfork_may_allocate),
        cmocka_unit_test(plugins_share_the_heap),
        cmocka_unit_test(plugins_find_their_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
