/* An allocator of size classes and free lists with a bug to order: BROKEN_BUG says which, 0 none.
 * `heapmill fuzz run -b` and the malloc_abi target must find each of them without rebuilding it. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define BROKEN_EXPORT __attribute__((visibility("default")))

enum {
    BUG_NONE = 0,
    BUG_CALLOC = 1,   /* memory that was used before is not zeroed */
    BUG_CLASS = 2,    /* sizes one beyond a class get the smaller class */
    BUG_REALLOC = 3,  /* copies no more than 64 bytes when a block grows beyond 1 KiB */
    BUG_MEMALIGN = 4, /* alignments beyond 256 are served with 256 */
    BUG_OVERFLOW = 5, /* calloc's product is not looked at */
    BUG_TWICE = 6,    /* every 64th free of a class goes to its list twice */
};

enum { BROKEN_CLASSES = 48, BROKEN_HEADER_BYTES = 16, BROKEN_CHUNK_BYTES = 16 << 20 };

/* In front of each block; base is where the class's block begins (memalign moves blocks on). */
struct broken_header {
    uint32_t class;
    uint32_t offset; /* from the class's block to this header */
    uint64_t pad;
};

struct broken_free {
    struct broken_free *next;
};

static struct broken_free *broken_lists[BROKEN_CLASSES];
static unsigned char *broken_next;
static unsigned char *broken_end;
static uint32_t broken_frees[BROKEN_CLASSES];

/* Classes grow by a half and a third in turn: 32, 48, 64, 96, 128 … */
static size_t broken_class_bytes(uint32_t class)
{
    return (size_t)(class % 2 == 0 ? 32 : 48) << class / 2;
}

static uint32_t broken_class_of(size_t bytes)
{
    uint32_t class = 0;
    while (class < BROKEN_CLASSES && broken_class_bytes(class) < bytes) {
        class ++;
    }
    return class;
}

static void *broken_carve(size_t bytes)
{
    if ((size_t)(broken_end - broken_next) < bytes) {
        size_t chunk = bytes > BROKEN_CHUNK_BYTES ? bytes : BROKEN_CHUNK_BYTES;
        void *mapped = mmap(NULL, chunk, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapped == MAP_FAILED) {
            return NULL;
        }
        broken_next = mapped;
        broken_end = broken_next + chunk;
    }
    void *block = broken_next;
    broken_next += bytes;
    return block;
}

static struct broken_header *broken_header_of(void *block)
{
    return (struct broken_header *)block - 1;
}

BROKEN_EXPORT size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    const struct broken_header *header = broken_header_of(block);
    return broken_class_bytes(header->class) - BROKEN_HEADER_BYTES - header->offset;
}

BROKEN_EXPORT void *malloc(size_t size)
{
    if (size > SIZE_MAX / 4) {
        errno = ENOMEM;
        return NULL;
    }
    size_t bytes = size + BROKEN_HEADER_BYTES;
    if (BROKEN_BUG == BUG_CLASS && bytes > 512 && bytes % 256 == 1) {
        bytes--;
    }
    uint32_t class = broken_class_of(bytes);
    unsigned char *base = (unsigned char *)broken_lists[class];
    if (base != NULL) {
        broken_lists[class] = broken_lists[class]->next;
    } else {
        base = broken_carve(broken_class_bytes(class));
    }
    if (base == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *(struct broken_header *)(void *)base = (struct broken_header){.class = class};
    return base + BROKEN_HEADER_BYTES;
}

BROKEN_EXPORT void free(void *block)
{
    if (block == NULL) {
        return;
    }
    const struct broken_header *header = broken_header_of(block);
    uint32_t class = header->class;
    struct broken_free *base =
        (struct broken_free *)(void *)((unsigned char *)(uintptr_t)header - header->offset);
    base->next = broken_lists[class];
    broken_lists[class] = base;
    if (BROKEN_BUG == BUG_TWICE && ++broken_frees[class] % 64 == 0) {
        base->next = base;
    }
}

BROKEN_EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) && BROKEN_BUG != BUG_OVERFLOW) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(bytes);
    if (block != NULL && BROKEN_BUG != BUG_CALLOC) {
        memset(block, 0, bytes);
    }
    return block;
}

BROKEN_EXPORT void *realloc(void *block, size_t size)
{
    if (block == NULL) {
        return malloc(size);
    }
    size_t old = malloc_usable_size(block);
    if (size <= old) {
        return block;
    }
    void *moved = malloc(size);
    if (moved != NULL) {
        size_t kept = BROKEN_BUG == BUG_REALLOC && old < 1024 && size > 1024 && old > 64 ? 64 : old;
        memcpy(moved, block, kept);
        free(block);
    }
    return moved;
}

BROKEN_EXPORT void *memalign(size_t alignment, size_t size)
{
    if (BROKEN_BUG == BUG_MEMALIGN && alignment > 256) {
        alignment = 256;
    }
    unsigned char *block = alignment > SIZE_MAX / 4 ? NULL : malloc(size + alignment);
    if (block == NULL || (uintptr_t)block % alignment == 0) {
        return block;
    }
    const struct broken_header header = *broken_header_of(block);
    size_t shift = alignment - (uintptr_t)block % alignment;
    block += shift;
    *broken_header_of(block) =
        (struct broken_header){.class = header.class, .offset = (uint32_t)shift};
    return block;
}

BROKEN_EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    int saved = errno;
    void *block = memalign(alignment, size);
    errno = saved;
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}
