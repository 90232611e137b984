/* Blocks of the allocator under test, and the functions of the family, each checked against all of
 * its promises.
 *
 * Functions may be called from any thread; a block belongs to one thread at a time. */
#ifndef HEAPMILL_FUZZ_MALLOC_ABI_BLOCK_H
#define HEAPMILL_FUZZ_MALLOC_ABI_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/deviation.h"

enum abi_call {
    ABI_MALLOC,
    ABI_CALLOC,
    ABI_REALLOC,
    ABI_REALLOCARRAY,
    ABI_ALIGNED_ALLOC,
    ABI_MEMALIGN,
    ABI_POSIX_MEMALIGN,
    ABI_VALLOC,
    ABI_PVALLOC,
    ABI_NEW,
    ABI_CALLS,
};

/* A request: alignment is 1 if the function takes none; calloc and the like get count items of size
 * / count bytes. */
struct abi_request {
    enum abi_call call;
    size_t size;
    size_t alignment;
    size_t count;
};

struct abi_block {
    unsigned char *address; /* NULL: none */
    size_t size;            /* as requested */
    size_t usable;          /* as the allocator reports it; this much is filled */
    size_t alignment;
    uint64_t key; /* decides the filling */
    enum abi_call call;
};

/* The promises, a row each: fuzz/targets/malloc_abi_promises.c. */
extern const struct fuzz_promise abi_overlap, abi_contents, abi_moved, abi_refused_resize, abi_zero,
    abi_crash, abi_hang, abi_alignment, abi_overflow, abi_impossible, abi_usable, abi_lost,
    abi_child, abi_threads_child, abi_enomem, abi_free_errno, abi_memalign_errno,
    abi_memalign_refusal, abi_nothing;

const char *abi_call_name(enum abi_call call);
/* "small@page": the kinds of a size and an alignment, for keys of deviations. A constant. */
const char *abi_class(size_t size, size_t alignment);

/* Does the library have the function, and does the profile include it? */
bool abi_has(enum abi_call call);

/* Requests a block, checks it against the promises, and fills it. false: it was refused; or it was
 * not requested, since the library has crashed or hung at this several times. */
bool abi_take(const struct abi_request *request, struct abi_block *block);

/* Checks that the contents are unchanged. `after` names the last operation. */
void abi_check(const struct abi_block *block, const char *after);

/* Checks and frees the block, with a sized function if one fits. */
void abi_give(struct abi_block *block);

/* Resizes the block to at least 1 byte, with realloc or reallocarray. false: it is unchanged. */
bool abi_resize(struct abi_block *block, size_t size, bool by_array);

/* Calls realloc(block, 0), as defined by glibc and implementations of C17. The block is gone. */
void abi_resize_to_nothing(struct abi_block *block);

/* Makes requests that no allocator can serve. block may be NULL. */
void abi_ask_impossible(unsigned which, unsigned by, struct abi_block *block);
void abi_ask_invalid(void);

/* Requests sizes of 4 GiB and some bytes, which a 64-bit program may have. */
void abi_ask_giant(unsigned which, unsigned by);

#endif
