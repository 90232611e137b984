/* The conformance suite of the contract in allocators/backend.h.
 *
 * Compiled for every back end and arm. The programs of the back end `malloc` also run with each
 * preload library and each peer preloaded; HEAPMILL_EXPECT_MALLOC then names the library in which
 * malloc must live, so that a figure of the wrong allocator's never passes for a test of this one.
 */
#include "allocators/tests/conformance.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFORMANCE_SKIPPED = 77 };

/* AddressSanitizer aborts on huge sizes unless it is told that NULL will do. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* Is malloc where the test wants it? Exits when the library is not on this machine. */
static bool conformance_malloc_is_expected(void)
{
    const char *expected = getenv("HEAPMILL_EXPECT_MALLOC");
    if (expected == NULL) {
        return true;
    }
    Dl_info owner = {0};
    if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &owner) != 0 && owner.dli_fname != NULL &&
        strstr(owner.dli_fname, expected) != NULL) {
        return true;
    }
    if (dlopen(expected, RTLD_LAZY | RTLD_NOLOAD) == NULL) {
        fprintf(stderr, "skipped: %s is not installed\n", expected);
        exit(CONFORMANCE_SKIPPED);
    }
    fprintf(stderr, "malloc lives in %s, not in %s\n", owner.dli_fname, expected);
    return false;
}

/* Can the back end be opened at all? `malloc` with sized frees needs a library that exports one. */
static void conformance_skip_if_unsupported(void)
{
    struct heap heap;
    struct error error;
    enum status status = heap_open(&heap, NULL, &error);
    if (status == STATUS_UNSUPPORTED) {
        fprintf(stderr, "skipped: %s\n", error.message);
        exit(CONFORMANCE_SKIPPED);
    }
    if (status == STATUS_OK) {
        heap_close(&heap);
    }
}

int main(void)
{
    if (!conformance_malloc_is_expected()) {
        return EXIT_FAILURE;
    }
    conformance_skip_if_unsupported();
    printf("back end %s, arm %s\n", HEAPMILL_BACKEND_NAME, HEAPMILL_ARM_NAME);
    int failed = conformance_single_tests();
    failed += conformance_random_tests();
    failed += conformance_fault_tests();
    failed += conformance_misuse_tests();
    failed += conformance_capable_tests();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
