/* The sized arm of `malloc` hands each block's own size to the library's sized free. This program
 * exports jemalloc's, which the back end looks up. */
#include "allocators/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct {
    void *block;
    size_t size;
    int flags;
    int calls;
} sized_free;

__attribute__((visibility("default"))) void sdallocx(void *block, size_t size, int flags);
void sdallocx(void *block, size_t size, int flags)
{
    sized_free.block = block;
    sized_free.size = size;
    sized_free.flags = flags;
    sized_free.calls++;
    free(block);
}

/* jemalloc's man page: a size between the one asked for and the usable one, and not 0. */
static void sized_free_gets_the_size(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 16, 17, 4096, 1 << 20};
    static struct heap heap;
    (void)state;
    assert_int_equal(heap_open(&heap, NULL, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *block = heap_alloc(&heap, sizes[i], HEAP_RAW);
        assert_non_null(block);
        int before = sized_free.calls;
        heap_free(&heap, block, sizes[i], HEAP_RAW);
        assert_int_equal(sized_free.calls, before + 1);
        assert_ptr_equal(sized_free.block, block);
        assert_int_equal(sized_free.size, sizes[i] == 0 ? 1 : sizes[i]);
        assert_int_equal(sized_free.flags, 0);
    }
    heap_close(&heap);
}

/* gperftools': classes 64 bytes apart. */
__attribute__((visibility("default"))) size_t tc_nallocx(size_t size, int flags);
size_t tc_nallocx(size_t size, int flags)
{
    (void)flags;
    return (size + 63) / 64 * 64;
}

/* A block never lies in another class than its size's, whatever realloc would do. */
static void sized_resize_keeps_to_the_class(void **state)
{
    static struct heap heap;
    (void)state;
    assert_int_equal(heap_open(&heap, NULL, NULL), STATUS_OK);
    unsigned char *block = heap_alloc(&heap, 300, HEAP_RAW);
    assert_non_null(block);
    for (int i = 0; i < 300; i++) {
        block[i] = (unsigned char)i;
    }
    int before = sized_free.calls;
    assert_ptr_equal(heap_resize(&heap, block, 300, 310, HEAP_RAW), block);
    assert_int_equal(sized_free.calls, before);
    unsigned char *moved = heap_resize(&heap, block, 310, 170, HEAP_RAW);
    assert_non_null(moved);
    assert_int_equal(sized_free.calls, before + 1);
    assert_ptr_equal(sized_free.block, block);
    assert_int_equal(sized_free.size, 310);
    for (int i = 0; i < 170; i++) {
        assert_int_equal(moved[i], (unsigned char)i);
    }
    heap_free(&heap, moved, 170, HEAP_RAW);
    heap_close(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sized_free_gets_the_size),
                                       cmocka_unit_test(sized_resize_keeps_to_the_class)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
