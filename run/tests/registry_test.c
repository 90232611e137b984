/* Back ends by name: other names, and the peers' libraries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/registry.h"
#include "run/selection.h"

static struct registry registry;

static int open_registry(void **state)
{
    (void)state;
    return registry_open(&registry, NULL) == STATUS_OK ? 0 : 1;
}

static int close_registry(void **state)
{
    (void)state;
    registry_close(&registry);
    return 0;
}

static long minor_version(const char *name)
{
    static const char prefix[] = "cpython-3.";
    return strncmp(name, prefix, strlen(prefix)) == 0 ? strtol(name + strlen(prefix), NULL, 10) : 0;
}

/* The newest CPython of this build; 0: none. */
static long newest_minor(void)
{
    long newest = 0;
    for (size_t i = 0; i < registry.count; i++) {
        long minor = minor_version(registry.backends[i]->name);
        newest = minor > newest ? minor : newest;
    }
    return newest;
}

static void test_cpython_is_the_newest(void **state)
{
    (void)state;
    const struct backend *backend = registry_find(&registry, "cpython");
    if (newest_minor() == 0) {
        assert_null(backend);
        print_message("SKIPPED: no CPython in this build: scripts/install\n");
        skip();
    }
    assert_non_null(backend);
    assert_int_equal(minor_version(backend->name), newest_minor());
    struct selection selection = {0};
    assert_int_equal(selection_add_backends(&selection, &registry, "cpython", NULL, NULL),
                     STATUS_OK);
    assert_int_equal(selection.choice_count, 1);
    assert_ptr_equal(selection.choices[0].backend, backend);
    selection_free(&selection);
    assert_int_equal(selection_add_backends(&selection, &registry, "cpython*,!cpython", NULL, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < selection.choice_count; i++) {
        assert_ptr_not_equal(selection.choices[i].backend, backend);
    }
    selection_free(&selection);
}

static void test_a_peer_has_one_library(void **state)
{
    (void)state;
    const struct backend *backend = registry_find(&registry, "mimalloc");
    if (registry.sanitized) {
        assert_null(backend);
        return;
    }
    assert_non_null(backend);
    assert_true(strcmp(backend->library, "libmimalloc.so.3") == 0 ||
                strcmp(backend->library, "libmimalloc.so.2") == 0);
    /* What is installed is found, whichever it is. */
    char expected[32];
    (void)snprintf(expected, sizeof(expected), "libmimalloc%c", strrchr(backend->library, '.')[1]);
    assert_memory_equal(backend->package, expected, strlen(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpython_is_the_newest),
        cmocka_unit_test(test_a_peer_has_one_library),
    };
    return cmocka_run_group_tests(tests, open_registry, close_registry);
}
