/* Requests that no allocator can serve, and those that only a 64-bit machine can. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "fuzz/targets/malloc_abi_block.h"
#include "fuzz/targets/malloc_abi_family.h"

/* More than any address space: x86-64 and arm64 have at most 57 bits. */
static size_t impossible_size(unsigned by)
{
    static const size_t around[] = {SIZE_MAX,        (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX,
                                    (size_t)1 << 62, (size_t)3 << 62,         (size_t)1 << 60};
    size_t base = around[by % 6];
    size_t off = by / 6;
    return base == SIZE_MAX ? base - off * (off > 20 ? 512 : 1)
           : by % 2 == 0    ? base + off
                            : base - off;
}

/* Two factors whose product overflows a size_t, and may then look small. */
static void impossible_factors(unsigned by, size_t *count, size_t *size)
{
    static const size_t factors[][2] = {{(size_t)1 << 32, (size_t)1 << 32},
                                        {((size_t)1 << 32) + 1, (size_t)1 << 32},
                                        {((size_t)1 << 32) + 1, ((size_t)1 << 32)},
                                        {SIZE_MAX / 2 + 1, 2},
                                        {SIZE_MAX / 4 + 2, 4},
                                        {SIZE_MAX, SIZE_MAX},
                                        {SIZE_MAX / 16 + 2, 16},
                                        {(size_t)1 << 63, (size_t)1 << 63},
                                        {SIZE_MAX / 3 + 2, 3},
                                        {SIZE_MAX, 2}};
    const size_t *both = factors[by % 10];
    *count = both[by / 10 % 2];
    *size = both[1 - by / 10 % 2];
}

/* Reports a request that got a block, or an errno other than ENOMEM. */
static void impossible_judge(const struct fuzz_promise *promise, const char *call, void *block,
                             int code, size_t alignment, size_t size)
{
    fuzz_leave_call();
    if (block != NULL) {
        fuzz_deviate(promise, call, "impossible", "%zu bytes (alignment or count %zu) are given",
                     size, alignment);
    } else if (code != ENOMEM) {
        fuzz_deviate(&abi_enomem, call, "impossible",
                     "%zu bytes (alignment or count %zu) are refused, and errno is %d", size,
                     alignment, code);
    }
}

static bool impossible_begin(const char *call)
{
    if (fuzz_deviation_count("crash", call, "impossible") >= 2 ||
        fuzz_deviation_count("hang", call, "impossible") >= 2 ||
        fuzz_deviation_count("exit", call, "impossible") >= 2) {
        return false;
    }
    fuzz_enter_call(call, "impossible");
    errno = 0;
    return true;
}

static void impossible_plain(unsigned which, size_t size)
{
    static const enum abi_call calls[] = {ABI_MALLOC, ABI_REALLOC, ABI_VALLOC, ABI_PVALLOC,
                                          ABI_CALLOC};
    const struct malloc_abi_family *family = malloc_abi_family_get();
    enum abi_call call = calls[which % 5];
    const char *name = abi_call_name(call);
#if defined(__SANITIZE_ADDRESS__)
    if (call == ABI_PVALLOC) {
        return; /* AddressSanitizer ends the process */
    }
#endif
    if (!abi_has(call) || !impossible_begin(name)) {
        return;
    }
    void *block = call == ABI_MALLOC    ? family->malloc(size)
                  : call == ABI_REALLOC ? family->realloc(NULL, size)
                  : call == ABI_VALLOC  ? family->valloc(size)
                  : call == ABI_CALLOC  ? family->calloc(1, size)
                                        : family->pvalloc(size);
    impossible_judge(&abi_impossible, name, block, errno, 1, size);
}

static void impossible_products(bool of_calloc, unsigned by)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    const char *name = of_calloc ? "calloc" : "reallocarray";
    size_t count;
    size_t size;
    impossible_factors(by, &count, &size);
    if (!abi_has(of_calloc ? ABI_CALLOC : ABI_REALLOCARRAY) || !impossible_begin(name)) {
        return;
    }
    void *block = of_calloc ? family->calloc(count, size) : family->reallocarray(NULL, count, size);
    impossible_judge(&abi_overflow, name, block, errno, count, size);
}

/* Requests with an alignment and a size whose sum overflows in most implementations. */
static void impossible_aligned(unsigned which, unsigned by)
{
    static const enum abi_call calls[] = {ABI_ALIGNED_ALLOC, ABI_MEMALIGN, ABI_POSIX_MEMALIGN};
    const struct malloc_abi_family *family = malloc_abi_family_get();
    enum abi_call call = calls[which % 3];
    const char *name = abi_call_name(call);
    size_t alignment = (size_t)8 << by % 22;
    size_t size = impossible_size(by * 7 + which) / alignment * alignment;
    if (by % 3 == 0 &&
        call != ABI_ALIGNED_ALLOC) { /* C11 requires a multiple; scudo insists on it */
        size = impossible_size(by);
    }
    if (!abi_has(call) || !impossible_begin(name)) {
        return;
    }
    void *block = NULL;
    if (call == ABI_POSIX_MEMALIGN) {
        errno = family->posix_memalign(&block, alignment, size);
        block = errno == 0 ? block : NULL;
    } else {
        block = call == ABI_ALIGNED_ALLOC ? family->aligned_alloc(alignment, size)
                                          : family->memalign(alignment, size);
    }
    /* No document says which of the two is wrong. */
    int code = errno == EINVAL ? ENOMEM : errno;
    impossible_judge(&abi_impossible, name, block, code, alignment, size);
}

/* A block that cannot become so large must stay unchanged. */
static void impossible_resize(unsigned which, unsigned by, const struct abi_block *block)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    bool by_array = which % 2 == 0;
    size_t count = 1;
    size_t size = impossible_size(by);
    const char *name = by_array ? "reallocarray" : "realloc";
    if (by_array) {
        impossible_factors(by, &count, &size);
    }
    if (block->call == ABI_NEW || !abi_has(by_array ? ABI_REALLOCARRAY : ABI_REALLOC) ||
        !impossible_begin(name)) {
        return;
    }
    void *moved = by_array ? family->reallocarray(block->address, count, size)
                           : family->realloc(block->address, size);
    impossible_judge(by_array ? &abi_overflow : &abi_impossible, name, moved, errno, count, size);
    if (moved != NULL) {
        /* The block is gone, and the heap cannot be trusted. */
        fuzz_deviate(&abi_refused_resize, name, "impossible", "the block is gone");
        return;
    }
    abi_check(block, "a resize that nobody can do");
}

void abi_ask_impossible(unsigned which, unsigned by, struct abi_block *block)
{
    fuzz_progress();
    switch (which % 8) {
    case 0:
    case 1:
        impossible_plain(by % 5, impossible_size(by / 5 + which));
        break;
    case 2:
        impossible_products(true, by);
        break;
    case 3:
        impossible_products(false, by);
        break;
    case 4:
    case 5:
        impossible_aligned(by % 3, by / 3 + which);
        break;
    default:
        if (block != NULL) {
            impossible_resize(which, by, block);
        }
    }
}

void abi_ask_invalid(void)
{
    static const size_t wrong[] = {0, 1, 2, 4, 24, 48, 4095, SIZE_MAX, SIZE_MAX / 2};
    const struct malloc_abi_family *family = malloc_abi_family_get();
    for (size_t i = 0; abi_has(ABI_POSIX_MEMALIGN) && i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        static char mark;
        void *result = &mark;
        if (!impossible_begin("posix_memalign")) {
            break;
        }
        int said = family->posix_memalign(&result, wrong[i], 64);
        fuzz_leave_call();
        if (said != EINVAL || (result != NULL && result != &mark)) {
            fuzz_deviate(&abi_memalign_refusal, "posix_memalign", "invalid",
                         "an alignment of %zu: it says %d, and the pointer is %s", wrong[i], said,
                         result == NULL || result == &mark ? "left" : "set");
        }
    }
    if (family->malloc_usable_size != NULL && fuzz_profile_holds(FUZZ_PROFILE_GLIBC) &&
        impossible_begin("malloc_usable_size")) {
        size_t usable = family->malloc_usable_size(NULL);
        fuzz_leave_call();
        if (usable != 0) {
            fuzz_deviate(&abi_usable, "malloc_usable_size", "NULL", "%zu", usable);
        }
    }
    fuzz_enter_call("free", "NULL");
    family->free(NULL);
    fuzz_leave_call();
}

/* Only touches the ends, so that the rest needs no memory. */
void abi_ask_giant(unsigned which, unsigned by)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    static const size_t steps[] = {0, 1, 8, 16, 4080, 4096, 65536, 1 << 20};
    size_t base = (size_t)1 << 32;
    size_t size = by % 2 == 0 ? base + steps[by / 2 % 8] : base - steps[by / 2 % 8];
    fuzz_progress();
    if (!abi_has(ABI_REALLOC) || fuzz_deviation_count("crash", "malloc", "giant") >= 2) {
        return;
    }
    fuzz_enter_call("malloc", "giant");
    unsigned char *block = which % 2 == 0 ? family->malloc(size) : family->malloc(100);
    if (which % 2 != 0 && block != NULL) {
        memset(block, 0x5a, 100);
        fuzz_enter_call("realloc", "giant");
        unsigned char *moved = family->realloc(block, size);
        if (moved == NULL) {
            family->free(block);
        }
        block = moved;
    }
    if (block != NULL) {
        size_t usable =
            family->malloc_usable_size != NULL ? family->malloc_usable_size(block) : size;
        if (usable < size) {
            fuzz_deviate(&abi_usable, "malloc", "giant", "%zu bytes are usable of a block of %zu",
                         usable, size);
        }
        fuzz_enter_call("block-of-malloc", "giant");
        bool kept = which % 2 == 0 || (block[0] == 0x5a && block[99] == 0x5a);
        block[0] = 0x5a;
        block[size - 1] = 0xa5;
        fuzz_enter_call("realloc", "giant");
        unsigned char *less = family->realloc(block, 4096);
        if (!kept || (less != NULL && less[0] != 0x5a)) {
            fuzz_deviate(&abi_moved, "realloc", "giant", "the first byte is lost");
        }
        fuzz_enter_call("free", "giant");
        family->free(less != NULL ? less : block);
    }
    fuzz_leave_call();
}
