#include "allocators/tests/conformance.h"

#include "allocators/system.h"
#include "common/os_memory.h"

static bool conformance_os_refuses(struct conformance_os *os)
{
    return os->calls++ == os->fail_at;
}

static void *conformance_os_map(void *context, size_t size)
{
    struct conformance_os *os = context;
    if (conformance_os_refuses(os)) {
        return NULL;
    }
    assert_true(os->mapping_count < CONFORMANCE_MAPPINGS_MAX);
    void *address = os_map(size);
    assert_non_null(address);
    os->mappings[os->mapping_count].address = address;
    os->mappings[os->mapping_count].bytes = size;
    os->mapping_count++;
    return address;
}

/* Only whole mappings may be given back. */
static void conformance_os_unmap(void *context, void *address, size_t size)
{
    struct conformance_os *os = context;
    for (size_t i = 0; i < os->mapping_count; i++) {
        if (os->mappings[i].address == address) {
            assert_int_equal(os->mappings[i].bytes, size);
            os->mappings[i] = os->mappings[--os->mapping_count];
            os_unmap(address, size);
            return;
        }
    }
    fail_msg("unmap of %p, which was not mapped", address);
}

static void *conformance_os_alloc(void *context, size_t size)
{
    struct conformance_os *os = context;
    void *block = conformance_os_refuses(os) ? NULL : system_malloc(size);
    os->blocks += block != NULL;
    return block;
}

static void *conformance_os_resize(void *context, void *block, size_t size)
{
    struct conformance_os *os = context;
    void *moved = conformance_os_refuses(os) ? NULL : system_realloc(block, size);
    os->blocks += block == NULL && moved != NULL;
    return moved;
}

static void conformance_os_free(void *context, void *block)
{
    struct conformance_os *os = context;
    os->blocks -= block != NULL;
    system_free(block);
}

void conformance_os_begin(struct conformance_os *os, size_t fail_at)
{
    *os = (struct conformance_os){
        .hooks = {.map = conformance_os_map,
                  .unmap = conformance_os_unmap,
                  .alloc = conformance_os_alloc,
                  .resize = conformance_os_resize,
                  .free = conformance_os_free,
                  .context = os},
        .fail_at = fail_at,
    };
}

void conformance_os_assert_balanced(const struct conformance_os *os)
{
    assert_int_equal(os->mapping_count, 0);
    assert_int_equal(os->blocks, 0);
}

void conformance_open(struct heap *heap, struct conformance_os *os)
{
    conformance_os_begin(os, CONFORMANCE_NEVER);
    struct heap_options options = {.os = os->hooks};
    struct error error = {0};
    enum status status = heap_open(heap, &options, &error);
    if (status == STATUS_UNSUPPORTED) {
        print_message("%s\n", error.message);
        skip();
    }
    assert_int_equal(status, STATUS_OK);
}
