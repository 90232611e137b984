/* A malloc that serves COUNTED_CALLS requests and then aborts or hangs (COUNTED_HANGS): what a
 * user's broken library does to heapmill. COUNTED_SPINS: it serves on, and does so many needless
 * additions in each call: an allocator that can become worse. Takes from one mapping and gives
 * nothing back; one thread. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A worker starts with about a thousand calls; every cell of the tests makes many more than this.
 */
enum { COUNTED_CALLS = 20000, COUNTED_HEADER = 16 };
#define COUNTED_ARENA ((size_t)1 << 30)

static char *counted_next;
static char *counted_end;
static unsigned counted_calls;

static void counted_stop(void)
{
#ifdef COUNTED_HANGS
    for (;;) {
        (void)pause();
    }
#else
    static const char text[] = "counted_malloc: enough\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    abort();
#endif
}

static void *counted_take(size_t alignment, size_t size)
{
    if (counted_next == NULL) {
        counted_next = mmap(NULL, COUNTED_ARENA, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        counted_end = counted_next + COUNTED_ARENA;
    }
#ifdef COUNTED_SPINS
    for (volatile unsigned i = 0; i < COUNTED_SPINS; i++) {
    }
    (void)counted_stop;
    (void)counted_calls;
    if (counted_next > counted_end - COUNTED_ARENA / 2) {
        counted_next = counted_end - COUNTED_ARENA; /* what was there is long free */
    }
#else
    if (++counted_calls > COUNTED_CALLS) {
        counted_stop();
    }
#endif
    uintptr_t start = (uintptr_t)counted_next + COUNTED_HEADER;
    start = (start + alignment - 1) & ~(alignment - 1);
    char *block = (char *)start;
    counted_next = block + ((size + 15) & ~(size_t)15);
    if (counted_next > counted_end) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(block - sizeof(size), &size, sizeof(size));
    return block;
}

void *malloc(size_t size)
{
    return counted_take(16, size);
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return counted_take(16, count * size); /* fresh pages are zero */
}

void *realloc(void *block, size_t size)
{
    size_t old = 0;
    void *grown = counted_take(16, size);
    if (block != NULL && grown != NULL) {
        memcpy(&old, (char *)block - sizeof(old), sizeof(old));
        memcpy(grown, block, old < size ? old : size);
    }
    return grown;
}

void *memalign(size_t alignment, size_t size)
{
    return counted_take(alignment < 16 ? 16 : alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block == NULL ? ENOMEM : 0;
}

size_t malloc_usable_size(void *block)
{
    size_t size = 0;
    if (block != NULL) {
        memcpy(&size, (char *)block - sizeof(size), sizeof(size));
    }
    return size;
}
