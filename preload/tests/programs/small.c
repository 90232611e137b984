/* Small programs for leaks.sh and usable.sh.
 *   small aligned            frees an aligned block
 *   small valloc             loses 50 blocks of valloc's and 30 of pvalloc's
 *   small reserve            reserves 256 GiB, of which it uses a page, in a mapping and in a block
 *   small protected          a block with a page in it that cannot be read holds a pointer
 *   small usable             prints the usable sizes of some blocks
 *   small mallocx            mixes jemalloc's own functions, where there are any, with the family
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { VALLOCS = 50, PVALLOCS = 30 };

#define RESERVED_BYTES ((size_t)256 << 30)
#define PAGE_BYTES ((size_t)4096)

static void *volatile kept;
static char **volatile reserved[2];

static int do_valloc(void)
{
    for (int i = 0; i < VALLOCS; i++) {
        kept = valloc(5000);
    }
    for (int i = 0; i < PVALLOCS; i++) {
        kept = pvalloc(300);
    }
    kept = NULL;
    return 0;
}

/* What is kept there alone is reachable: the pages that are used are read. */
static int do_reserve(void)
{
    void *mapping = mmap(NULL, RESERVED_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
    reserved[0] = mapping == MAP_FAILED ? NULL : mapping;
    reserved[1] = malloc(RESERVED_BYTES / 64);
    for (int i = 0; i < 2; i++) {
        if (reserved[i] == NULL) {
            return 9;
        }
        reserved[i][PAGE_BYTES] = malloc(30);
    }
    return 0;
}

static int do_protected(void)
{
    char **block = memalign(PAGE_BYTES, 4 * PAGE_BYTES);
    memset(block, 0, 4 * PAGE_BYTES);
    block[0] = malloc(40);
    kept = block;
    return mprotect(block + PAGE_BYTES / sizeof(*block), PAGE_BYTES, PROT_NONE);
}

static int do_usable(void)
{
    static const size_t sizes[] = {1000, 5000, 100000, 1 << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *block = malloc(sizes[i]);
        (void)printf("%zu\n", malloc_usable_size(block));
        free(block);
    }
    return 0;
}

__attribute__((weak)) void *mallocx(size_t size, int flags);
__attribute__((weak)) void *rallocx(void *block, size_t size, int flags);
__attribute__((weak)) size_t sallocx(const void *block, int flags);
__attribute__((weak)) void sdallocx(void *block, size_t size, int flags);

static bool is_zero(const unsigned char *block, size_t from, size_t to)
{
    while (from < to && block[from] == 0) {
        from++;
    }
    return from == to;
}

/* 0 as well where there are none. Of a size the usable one is the same whoever is asked. */
static int do_mallocx(void)
{
    static const size_t sizes[] = {1, 24, 600, 5000, 200000};
    for (size_t i = 0; mallocx != NULL && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int log = 0; log <= 13; log++) {
            size_t size = sizes[i], more = 3 * size;
            void *dirty = memset(malloc(more), 0xa5, more);
            free(dirty);
            unsigned char *block = mallocx(size, log | 64);
            size_t usable = malloc_usable_size(block);
            if ((uintptr_t)block % ((uintptr_t)1 << log) != 0 || usable < size ||
                usable != sallocx(block, 0) || !is_zero(block, 0, size)) {
                return 1;
            }
            memset(block, 1, usable);
            block = rallocx(block, more, log | 64);
            if ((uintptr_t)block % ((uintptr_t)1 << log) != 0 || block[size - 1] != 1 ||
                (more > usable && !is_zero(block, usable, more))) {
                return 1;
            }
            if (log % 2 == 0) {
                free(block);
            } else {
                sdallocx(block, more, log);
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "aligned") == 0) {
        free(aligned_alloc(64, 64));
        return 0;
    }
    return strcmp(word, "valloc") == 0      ? do_valloc()
           : strcmp(word, "reserve") == 0   ? do_reserve()
           : strcmp(word, "protected") == 0 ? do_protected()
           : strcmp(word, "usable") == 0    ? do_usable()
           : strcmp(word, "mallocx") == 0   ? do_mallocx()
                                            : 2;
}
