/* Libraries that a campaign meets.
 *
 * Sound, without a definition: posix_memalign sets the pointer to NULL when it refuses, which
 * POSIX.1-2017 allows; its thread's variables are of the static kind and many. Not to be fuzzed: it
 * needs what nobody has, or has no malloc, so that libc's is found behind it. */
#include <errno.h>
#include <stddef.h>

void *__libc_malloc(size_t size);
void __libc_free(void *block);
void *__libc_memalign(size_t alignment, size_t size);
void nobody_has_this(void);
void *strange_grow(size_t size);

#ifdef STRANGE_COVERED
/* As clang's -fsanitize-coverage=inline-8bit-counters,pc-table has it done. */
void __sanitizer_cov_8bit_counters_init(char *start, char *end);
void __sanitizer_cov_pcs_init(const unsigned long *start, const unsigned long *end);

__attribute__((constructor)) static void strange_begin(void)
{
    static char counters[8];
    static unsigned long places[16];
    __sanitizer_cov_8bit_counters_init(counters, counters + sizeof(counters));
    __sanitizer_cov_pcs_init(places, places + 16);
}
#endif

#ifdef STRANGE_NO_MALLOC
void *strange_grow(size_t size)
{
    return __libc_malloc(size);
}
#else
static __thread char strange_buffer[16384] __attribute__((tls_model("initial-exec")));

void *malloc(size_t size)
{
    strange_buffer[size % sizeof(strange_buffer)]++;
#ifdef STRANGE_UNRESOLVED
    nobody_has_this();
#endif
    return __libc_malloc(size);
}

void free(void *block)
{
    __libc_free(block);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    int saved = errno;
    *result = NULL;
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    *result = __libc_memalign(alignment, size);
    errno = saved;
    return *result != NULL ? 0 : ENOMEM;
}
#endif
