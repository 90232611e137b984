#include "fuzz/targets/malloc_abi_block.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "allocators/heap.h"
#include "fuzz/asan.h"
#include "fuzz/oracle.h"
#include "fuzz/targets/malloc_abi_family.h"

enum {
    ABI_WHOLE_BYTES = 256 << 10, /* blocks up to this size are compared byte by byte */
    ABI_ENDS_BYTES = 4096,       /* of larger blocks the ends are compared, and between them … */
    ABI_STRIDE_BYTES = 512,      /* … eight bytes of every stride */
    ABI_WORD_BYTES = 8,
    ABI_PAGE_BYTES = 4096,
    ABI_AVOIDED_AFTER = 2, /* crashes or hangs of one call and class after which it is avoided */
};

static const char *const abi_names[ABI_CALLS] = {
    "malloc",   "calloc",         "realloc", "reallocarray", "aligned_alloc",
    "memalign", "posix_memalign", "valloc",  "pvalloc",      "new"};
static const char *const abi_block_names[ABI_CALLS] = {
    "block-of-malloc",         "block-of-calloc",
    "block-of-realloc",        "block-of-reallocarray",
    "block-of-aligned_alloc",  "block-of-memalign",
    "block-of-posix_memalign", "block-of-valloc",
    "block-of-pvalloc",        "block-of-new"};

const char *abi_call_name(enum abi_call call)
{
    return abi_names[call];
}

const char *abi_class(size_t size, size_t alignment)
{
    static const char *const names[8][4] = {
        {"nothing", "nothing@page", "nothing@64K", "nothing@more"},
        {"tiny", "tiny@page", "tiny@64K", "tiny@more"},
        {"small", "small@page", "small@64K", "small@more"},
        {"medium", "medium@page", "medium@64K", "medium@more"},
        {"large", "large@page", "large@64K", "large@more"},
        {"huge", "huge@page", "huge@64K", "huge@more"},
        {"giant", "giant@page", "giant@64K", "giant@more"},
        {"impossible", "impossible@page", "impossible@64K", "impossible@more"}};
    static const size_t sizes[7] = {0, 15, 1024, 32768, 1u << 20, 64 << 20, (size_t)1 << 40};
    size_t i = 0;
    while (i < 7 && size > sizes[i]) {
        i++;
    }
    size_t j = alignment <= 16 ? 0 : alignment <= 4096 ? 1 : alignment <= 65536 ? 2 : 3;
    return names[i][j];
}

bool abi_has(enum abi_call call)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    switch (call) {
    case ABI_CALLOC:
        return family->calloc != NULL;
    case ABI_REALLOC:
        return family->realloc != NULL;
    case ABI_REALLOCARRAY:
        return family->reallocarray != NULL && fuzz_profile_holds(FUZZ_PROFILE_POSIX);
    case ABI_ALIGNED_ALLOC:
        return family->aligned_alloc != NULL;
    case ABI_MEMALIGN:
        return family->memalign != NULL && fuzz_profile_holds(FUZZ_PROFILE_GLIBC);
    case ABI_POSIX_MEMALIGN:
        return family->posix_memalign != NULL && fuzz_profile_holds(FUZZ_PROFILE_POSIX);
    case ABI_VALLOC:
        return family->valloc != NULL && fuzz_profile_holds(FUZZ_PROFILE_GLIBC);
    case ABI_PVALLOC:
        return family->pvalloc != NULL && fuzz_profile_holds(FUZZ_PROFILE_GLIBC);
    case ABI_NEW:
        return family->_Znwm != NULL && family->_ZdlPv != NULL;
    default:
        return true;
    }
}

/* Must this call be avoided? One that crashed or hung twice would end every run. The plain calls
 * are never avoided, since nothing works without them. */
static bool abi_avoids(const char *call, const char *class)
{
    bool plain = strchr(class, '@') == NULL && strcmp(class, "impossible") != 0 &&
                 (strcmp(call, "malloc") == 0 || strcmp(call, "free") == 0);
    return !plain && (fuzz_deviation_count("crash", call, class) >= ABI_AVOIDED_AFTER ||
                      fuzz_deviation_count("hang", call, class) >= ABI_AVOIDED_AFTER ||
                      fuzz_deviation_count("exit", call, class) >= ABI_AVOIDED_AFTER);
}

/* ---------------------------------------------------------------- contents */
static inline uint64_t abi_word(uint64_t key, size_t offset)
{
    return key ^ ((uint64_t)offset * 0x9e3779b97f4a7c15u);
}

/* Fills words of [from, to), one per stride bytes, and the last part of a word too. */
FUZZ_UNCHECKED static void abi_fill_range(unsigned char *address, uint64_t key, size_t from,
                                          size_t to, size_t stride)
{
    for (; from < to; from += stride) {
        uint64_t word = abi_word(key, from);
        size_t left = to - from;
        memcpy(address + from, &word, left < ABI_WORD_BYTES ? left : ABI_WORD_BYTES);
    }
}

/* The offset of the first word that differs; `to`: none does. */
FUZZ_UNCHECKED static size_t abi_compare_range(const unsigned char *address, uint64_t key,
                                               size_t from, size_t to, size_t stride)
{
    for (; from < to; from += stride) {
        uint64_t word = abi_word(key, from);
        uint64_t found = word;
        size_t left = to - from;
        memcpy(&found, address + from, left < ABI_WORD_BYTES ? left : ABI_WORD_BYTES);
        if (found != word) {
            return from;
        }
    }
    return to;
}

static void abi_fill(const struct abi_block *block)
{
    size_t end = block->usable;
    if (end <= ABI_WHOLE_BYTES) {
        abi_fill_range(block->address, block->key, 0, end, ABI_WORD_BYTES);
        return;
    }
    size_t tail = (end - ABI_ENDS_BYTES) / ABI_STRIDE_BYTES * ABI_STRIDE_BYTES;
    abi_fill_range(block->address, block->key, 0, ABI_ENDS_BYTES, ABI_WORD_BYTES);
    abi_fill_range(block->address, block->key, ABI_ENDS_BYTES, tail, ABI_STRIDE_BYTES);
    abi_fill_range(block->address, block->key, tail, end, ABI_WORD_BYTES);
}

/* The first of `kept` bytes at the address that differs from the block's filling; kept: none
 * does. */
static size_t abi_compare(const struct abi_block *block, const unsigned char *address, size_t kept)
{
    uint64_t key = block->key;
    size_t end = block->usable;
    if (end <= ABI_WHOLE_BYTES) {
        return abi_compare_range(address, key, 0, kept, ABI_WORD_BYTES);
    }
    size_t tail = (end - ABI_ENDS_BYTES) / ABI_STRIDE_BYTES * ABI_STRIDE_BYTES;
    size_t head = kept < ABI_ENDS_BYTES ? kept : ABI_ENDS_BYTES;
    size_t middle = kept < tail ? kept / ABI_STRIDE_BYTES * ABI_STRIDE_BYTES : tail;
    size_t at = abi_compare_range(address, key, 0, head, ABI_WORD_BYTES);
    if (at < head) {
        return at;
    }
    at = abi_compare_range(address, key, ABI_ENDS_BYTES, middle, ABI_STRIDE_BYTES);
    if (at < middle) {
        return at;
    }
    return kept > tail ? abi_compare_range(address, key, tail, kept, ABI_WORD_BYTES) : kept;
}

void abi_check(const struct abi_block *block, const char *after)
{
    const char *class = abi_class(block->size, block->alignment);
    fuzz_enter_call(abi_block_names[block->call], class);
    size_t at = abi_compare(block, block->address, block->usable);
    fuzz_leave_call();
    if (at < block->usable) {
        fuzz_deviate(&abi_contents, abi_names[block->call], class,
                     "a live block of %zu bytes (%zu usable) has changed at byte %zu%s%s",
                     block->size, block->usable, at, after != NULL ? ", after " : "",
                     after != NULL ? after : "");
    }
}

/* The first byte of calloc's that is not zero; size: all are. */
static size_t abi_find_set(const unsigned char *address, size_t size)
{
    size_t stride = size <= ABI_WHOLE_BYTES ? ABI_WORD_BYTES : 64;
    for (size_t at = 0; at < size; at += stride) {
        uint64_t found = 0;
        memcpy(&found, address + at, size - at < ABI_WORD_BYTES ? size - at : ABI_WORD_BYTES);
        if (found != 0) {
            return at;
        }
    }
    return size;
}

/* ---------------------------------------------------------------- allocation */
static void *abi_call_memalign(const struct malloc_abi_family *family,
                               const struct abi_request *request, const char *class)
{
    void *block = NULL;
    errno = EDOM;
    int result = family->posix_memalign(&block, request->alignment, request->size);
    if (result != 0 && errno != EDOM) {
        fuzz_deviate(&abi_memalign_errno, "posix_memalign", class, "it sets errno to %d", errno);
    }
    if (result != 0 && result != ENOMEM) {
        fuzz_deviate(&abi_memalign_refusal, "posix_memalign", class,
                     "an alignment of %zu and %zu bytes: it says %d", request->alignment,
                     request->size, result);
    }
    errno = ENOMEM;
    return result == 0 ? block : NULL;
}

static void *abi_ask(const struct abi_request *request, const char *class)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    size_t count = request->count > 0 && request->size % request->count == 0 ? request->count : 1;
    void *block = NULL;
    fuzz_enter_call(abi_names[request->call], class);
    errno = 0;
    switch (request->call) {
    case ABI_CALLOC:
        block = family->calloc(count, request->size / count);
        break;
    case ABI_REALLOC:
        block = family->realloc(NULL, request->size);
        break;
    case ABI_REALLOCARRAY:
        block = family->reallocarray(NULL, count, request->size / count);
        break;
    case ABI_ALIGNED_ALLOC:
        block = family->aligned_alloc(request->alignment, request->size);
        break;
    case ABI_MEMALIGN:
        block = family->memalign(request->alignment, request->size);
        break;
    case ABI_POSIX_MEMALIGN:
        block = abi_call_memalign(family, request, class);
        break;
    case ABI_VALLOC:
        block = family->valloc(request->size);
        break;
    case ABI_PVALLOC:
        block = family->pvalloc(request->size);
        break;
    case ABI_NEW:
        block = family->_Znwm(request->size);
        break;
    default:
        block = family->malloc(request->size);
    }
    fuzz_leave_call();
    return block;
}

/* The alignment that the block must have: the requested one, and that of any type that fits. A
 * block of 0 bytes needs none: it holds no object, and jemalloc's valloc(0) is aligned to 8. */
static size_t abi_owed_alignment(const struct abi_request *request)
{
    size_t natural = request->size >= 16 ? 16 : request->size >= 8 ? 8 : 1;
    size_t asked = request->call == ABI_VALLOC || request->call == ABI_PVALLOC ? ABI_PAGE_BYTES
                                                                               : request->alignment;
    return request->size == 0 ? 1 : asked > natural ? asked : natural;
}

/* The usable size that the allocator reports, unless such reports are known to be wrong. */
static size_t abi_ask_usable(const struct abi_block *block, const char *class)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    if (family->malloc_usable_size == NULL || !fuzz_profile_holds(FUZZ_PROFILE_GLIBC) ||
        abi_avoids("malloc_usable_size", class)) {
        return block->size;
    }
    fuzz_enter_call("malloc_usable_size", class);
    size_t usable = family->malloc_usable_size(block->address);
    fuzz_leave_call();
    if (usable < block->size || usable > PTRDIFF_MAX) {
        fuzz_deviate(&abi_usable, abi_names[block->call], class,
                     "%zu bytes are usable of a block of %zu", usable, block->size);
        return block->size;
    }
    return usable;
}

static _Atomic uint64_t abi_keys = 0x5eed;

/* Sets up and fills a new block. */
static void abi_enter(struct abi_block *block, void *address, const struct abi_request *request)
{
    const char *class = abi_class(request->size, request->alignment);
    size_t owed = abi_owed_alignment(request);
    *block = (struct abi_block){.address = address,
                                .size = request->size,
                                .alignment = request->alignment,
                                .call = request->call};
    if ((uintptr_t)address % owed != 0) {
        fuzz_deviate(&abi_alignment, abi_names[request->call], class,
                     "a block of %zu bytes, to be aligned to %zu, is at …%06zx", request->size,
                     owed, (size_t)((uintptr_t)address & 0xffffff));
    }
    block->usable = abi_ask_usable(block, class);
    block->key = atomic_fetch_add(&abi_keys, 1) * 0xd1342543de82ef95u;
    fuzz_enter_call(abi_block_names[block->call], class);
    if (request->call == ABI_CALLOC) {
        size_t set = abi_find_set(block->address, block->size);
        if (set < block->size) {
            fuzz_deviate(&abi_zero, "calloc", class, "byte %zu of %zu is not zero", set,
                         block->size);
        }
    }
    abi_fill(block);
    fuzz_leave_call();
}

bool abi_take(const struct abi_request *request, struct abi_block *block)
{
    const char *class = abi_class(request->size, request->alignment);
    const char *name = abi_names[request->call];
    *block = (struct abi_block){.address = NULL};
    fuzz_progress();
    if (!abi_has(request->call) || abi_avoids(name, class)) {
        return false;
    }
    void *address = abi_ask(request, class);
    if (address == NULL) {
        /* For 0 bytes NULL is a valid answer. */
        if (request->size != 0 && errno != ENOMEM) {
            fuzz_deviate(&abi_enomem, name, class, "%zu bytes are refused, and errno is %d",
                         request->size, errno);
        }
        return false;
    }
    abi_enter(block, address, request);
    return true;
}

/* ---------------------------------------------------------------- freeing and resizing */
static void abi_call_free(const struct abi_block *block)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    bool sized = (block->key & 0x1000) != 0;
    if (block->call == ABI_NEW) {
        family->_ZdlPv(block->address);
    } else if (sized && family->free_sized != NULL && block->call <= ABI_REALLOCARRAY) {
        family->free_sized(block->address, block->size);
    } else if (sized && family->free_aligned_sized != NULL && block->call == ABI_ALIGNED_ALLOC) {
        family->free_aligned_sized(block->address, block->alignment, block->size);
    } else {
        family->free(block->address);
    }
}

void abi_give(struct abi_block *block)
{
    const char *class = abi_class(block->size, block->alignment);
    abi_check(block, NULL);
    fuzz_progress();
    fuzz_enter_call("free", class);
    errno = EDOM;
    abi_call_free(block);
    int left = errno;
    fuzz_leave_call();
    if (left != EDOM && block->call != ABI_NEW) {
        fuzz_deviate(&abi_free_errno, "free", class, "it has changed errno to %d", left);
    }
    block->address = NULL;
}

bool abi_resize(struct abi_block *block, size_t size, bool by_array)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    by_array = by_array && abi_has(ABI_REALLOCARRAY);
    const char *name = by_array ? "reallocarray" : "realloc";
    const char *class = abi_class(size > block->size ? size : block->size, block->alignment);
    fuzz_progress();
    if (family->realloc == NULL || block->call == ABI_NEW || abi_avoids(name, class)) {
        return false;
    }
    abi_check(block, NULL);
    fuzz_enter_call(name, class);
    errno = 0;
    unsigned char *moved = by_array ? family->reallocarray(block->address, size, 1)
                                    : family->realloc(block->address, size);
    int left = errno;
    fuzz_leave_call();
    if (moved == NULL) {
        if (left != ENOMEM) {
            fuzz_deviate(&abi_enomem, name, class, "%zu bytes are refused, and errno is %d", size,
                         left);
        }
        abi_check(block, "a resize that was refused");
        return false;
    }
    size_t kept = size < block->size ? size : block->size;
    fuzz_enter_call("block-of-realloc", class);
    size_t at = abi_compare(block, moved, kept);
    fuzz_leave_call();
    if (at < kept) {
        fuzz_deviate(&abi_moved, name, class,
                     "from %zu to %zu bytes, aligned to %zu: byte %zu is not what it was",
                     block->size, size, block->alignment, at);
    }
    const struct abi_request request = {
        .call = by_array ? ABI_REALLOCARRAY : ABI_REALLOC, .size = size, .alignment = 1};
    abi_enter(block, moved, &request);
    return true;
}

void abi_resize_to_nothing(struct abi_block *block)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    const char *class = abi_class(block->size, block->alignment);
    if (family->realloc == NULL || block->call == ABI_NEW || abi_avoids("realloc", "nothing") ||
        !fuzz_profile_holds(FUZZ_PROFILE_GLIBC)) {
        abi_give(block);
        return;
    }
    abi_check(block, NULL);
    fuzz_enter_call("realloc", "nothing");
    errno = 0;
    void *left = family->realloc(block->address, 0);
    if (left == NULL && errno == ENOMEM) {
        fuzz_deviate(&abi_nothing, "realloc", class, "it says that there is no memory");
    }
    /* A block of 0 bytes is a valid answer too; the caller frees it. */
    if (left != NULL) {
        fuzz_enter_call("free", "nothing");
        family->free(left);
    }
    fuzz_leave_call();
    block->address = NULL;
}
