/* An allocator of size classes and free lists with a bug to order: BROKEN_BUG says which, 0 none.
 * `heapmill fuzz run -b` and the malloc_abi target must find each of them without rebuilding it,
 * although with BROKEN_SHALLOW it also refuses impossible sizes without setting errno. */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define BROKEN_EXPORT __attribute__((visibility("default")))

enum {
    BUG_NONE = 0,
    BUG_CALLOC = 1,       /* memory that was used before is not zeroed */
    BUG_CLASS = 2,        /* sizes one beyond a class get the smaller class */
    BUG_REALLOC = 3,      /* copies no more than 64 bytes when a block grows beyond 1 KiB */
    BUG_MEMALIGN = 4,     /* alignments beyond 256 are served with 256 */
    BUG_OVERFLOW = 5,     /* calloc's product is not looked at */
    BUG_TWICE = 6,        /* every 64th free of a class goes to its list twice */
    BUG_GROW_LARGE = 7,   /* growing a block of 1 MiB in place clears a page in its middle */
    BUG_ALIGN_LARGE = 8,  /* alignments from 64 KiB on, of 1 MiB and more only, are 4 KiB off */
    BUG_ARRAY = 9,        /* reallocarray's product is not looked at */
    BUG_USABLE = 10,      /* of blocks from 2 KiB on, 16 bytes more than there are are usable */
    BUG_LATE = 11,        /* after 3000 frees of a class each further block is served twice */
    BUG_FORK = 12,        /* the lock stays taken in a child */
    BUG_HAND_OVER = 13,   /* the 16th block that another thread frees goes to two lists */
    BUG_THREAD_EXIT = 14, /* what a thread has in its own lists is lost with it */
    BUG_SHRINK = 15,      /* shrinking to half clears the last 8 bytes that stay */
};

enum { BROKEN_CLASSES = 44, BROKEN_HEADER_BYTES = 16, BROKEN_CHUNK_BYTES = 16 << 20 };

#define BROKEN_SIZE_MAX ((size_t)64 << 20)

/* In front of each block; base is where the class's block begins (memalign moves blocks on). */
struct broken_header {
    uint32_t class;
    uint32_t offset; /* from the class's block to this header */
    uint64_t owner;  /* the thread */
};

struct broken_free {
    struct broken_free *next;
};

static pthread_mutex_t broken_lock = PTHREAD_MUTEX_INITIALIZER;
static struct broken_free *broken_lists[BROKEN_CLASSES];
static __thread struct broken_free *broken_own_lists[BROKEN_CLASSES];
static unsigned char *broken_next;
static unsigned char *broken_end;
static uint32_t broken_frees[BROKEN_CLASSES];
static uint32_t broken_handed;

static void broken_prepare(void)
{
    (void)pthread_mutex_lock(&broken_lock);
}

static void broken_release(void)
{
    (void)pthread_mutex_unlock(&broken_lock);
}

static void broken_release_child(void)
{
    if (BROKEN_BUG != BUG_FORK) {
        (void)pthread_mutex_unlock(&broken_lock);
    }
}

__attribute__((constructor)) static void broken_begin(void)
{
    (void)pthread_atfork(broken_prepare, broken_release, broken_release_child);
}

static void *broken_refuse(void)
{
#ifndef BROKEN_SHALLOW
    errno = ENOMEM;
#endif
    return NULL;
}

/* Classes grow by a half and a third in turn: 32, 48, 64, 96, 128 … */
static size_t broken_class_bytes(uint32_t class)
{
    return (size_t)(class % 2 == 0 ? 32 : 48) << class / 2;
}

static uint32_t broken_class_of(size_t bytes)
{
    uint32_t class = 0;
    while (class < BROKEN_CLASSES - 1 && broken_class_bytes(class) < bytes) {
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

static size_t broken_usable(void *block)
{
    const struct broken_header *header = broken_header_of(block);
    return broken_class_bytes(header->class) - BROKEN_HEADER_BYTES - header->offset;
}

BROKEN_EXPORT size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    size_t usable = broken_usable(block);
    return BROKEN_BUG == BUG_USABLE && usable >= 2000 ? usable + 16 : usable;
}

static struct broken_free **broken_list(uint32_t class)
{
    return BROKEN_BUG == BUG_THREAD_EXIT ? &broken_own_lists[class] : &broken_lists[class];
}

static void *broken_take(uint32_t class)
{
    struct broken_free **list = broken_list(class);
    struct broken_free *base = *list;
    if (base == NULL) {
        return broken_carve(broken_class_bytes(class));
    }
    /* Each second block stays in the list. */
    if (BROKEN_BUG != BUG_LATE || broken_frees[class] < 3000 || ++broken_frees[class] % 2 == 0) {
        *list = base->next;
    }
    return base;
}

BROKEN_EXPORT void *malloc(size_t size)
{
    if (size > BROKEN_SIZE_MAX * 2) {
        return broken_refuse();
    }
    size_t bytes = size + BROKEN_HEADER_BYTES;
    if (BROKEN_BUG == BUG_CLASS && bytes > 512 && bytes % 256 == 1) {
        bytes--;
    }
    uint32_t class = broken_class_of(bytes);
    (void)pthread_mutex_lock(&broken_lock);
    unsigned char *base = broken_take(class);
    (void)pthread_mutex_unlock(&broken_lock);
    if (base == NULL) {
        return broken_refuse();
    }
    *(struct broken_header *)(void *)base =
        (struct broken_header){.class = class, .owner = (uint64_t)pthread_self()};
    return base + BROKEN_HEADER_BYTES;
}

BROKEN_EXPORT void free(void *block)
{
    if (block == NULL) {
        return;
    }
    const struct broken_header *header = broken_header_of(block);
    uint32_t class = header->class;
    int handed = header->owner != (uint64_t)pthread_self();
    struct broken_free *base =
        (struct broken_free *)(void *)((unsigned char *)(uintptr_t)header - header->offset);
    (void)pthread_mutex_lock(&broken_lock);
    struct broken_free **list = broken_list(class);
    base->next = *list;
    *list = base;
    ++broken_frees[class];
    if ((BROKEN_BUG == BUG_TWICE && broken_frees[class] % 64 == 0) ||
        (BROKEN_BUG == BUG_HAND_OVER && handed && ++broken_handed % 16 == 0)) {
        base->next = base;
    }
    (void)pthread_mutex_unlock(&broken_lock);
}

BROKEN_EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) && BROKEN_BUG != BUG_OVERFLOW) {
        return broken_refuse();
    }
    void *block = malloc(bytes);
    if (block != NULL && BROKEN_BUG != BUG_CALLOC) {
        memset(block, 0, bytes);
    }
    return block;
}

static void broken_stay(unsigned char *block, size_t size, size_t old)
{
    if (BROKEN_BUG == BUG_GROW_LARGE && size > (1 << 20) && size > old * 3 / 4) {
        memset(block + size / 2, 0, 4096);
    }
    if (BROKEN_BUG == BUG_SHRINK && size > 64 && size < old / 2) {
        memset(block + size - 8, 0, 8);
    }
}

BROKEN_EXPORT void *realloc(void *block, size_t size)
{
    if (block == NULL) {
        return malloc(size);
    }
    size_t old = broken_usable(block);
    if (size <= old) {
        broken_stay(block, size, old);
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

BROKEN_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) && BROKEN_BUG != BUG_ARRAY) {
        return broken_refuse();
    }
    return realloc(block, bytes);
}

BROKEN_EXPORT void *memalign(size_t alignment, size_t size)
{
    if (BROKEN_BUG == BUG_MEMALIGN && alignment > 256) {
        alignment = 256;
    }
    if (alignment > BROKEN_SIZE_MAX || size > BROKEN_SIZE_MAX) {
        return broken_refuse();
    }
    unsigned char *block = malloc(size + alignment);
    if (block == NULL || (uintptr_t)block % alignment == 0) {
        return block;
    }
    const struct broken_header header = *broken_header_of(block);
    size_t shift = alignment - (uintptr_t)block % alignment;
    shift -= BROKEN_BUG == BUG_ALIGN_LARGE && alignment >= 65536 && size >= 1 << 20 && shift > 4096
                 ? 4096
                 : 0;
    block += shift;
    *broken_header_of(block) = (struct broken_header){
        .class = header.class, .offset = (uint32_t)shift, .owner = header.owner};
    return block;
}

BROKEN_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
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
