/* Blocks of the allocator under test, and each function of the family under all of its promises.
 *
 * Any thread; a block belongs to one at a time. */
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

/* A request: alignment 1 where the function takes none; count items of size / count bytes. */
struct abi_request {
    enum abi_call call;
    size_t size;
    size_t alignment;
    size_t count;
};

struct abi_block {
    unsigned char *address; /* NULL: none */
    size_t size;            /* as asked */
    size_t usable;          /* as the allocator says; what is filled */
    size_t alignment;
    uint64_t key; /* what it is filled with follows from it */
    enum abi_call call;
};

/* Why a promise is broken, a row each: fuzz/targets/malloc_abi_promises.c. */
extern const struct fuzz_promise abi_overlap, abi_contents, abi_moved, abi_refused_resize, abi_zero,
    abi_crash, abi_hang, abi_alignment, abi_overflow, abi_impossible, abi_usable, abi_lost,
    abi_child, abi_threads_child, abi_enomem, abi_free_errno, abi_memalign_errno,
    abi_memalign_refusal, abi_nothing;

const char *abi_call_name(enum abi_call call);
/* "small@page": kinds of sizes and alignments, for keys of deviations. Lasts. */
const char *abi_class(size_t size, size_t alignment);

/* Has the library got it, and is it of the profile? */
bool abi_has(enum abi_call call);

/* Asks for a block, holds it to what was promised, and fills it. False: it was refused, or nobody
 * asked, since the last times the library crashed or hung at that. */
bool abi_take(const struct abi_request *request, struct abi_block *block);

/* Is all in it as it was filled? `after` says what was done last, in words. */
void abi_check(const struct abi_block *block, const char *after);

/* Checks and frees it, by a sized function where one fits. */
void abi_give(struct abi_block *block);

/* Makes it another size, from 1 byte on, by realloc or reallocarray. False: it is as it was. */
bool abi_resize(struct abi_block *block, size_t size, bool by_array);

/* realloc(block, 0): what glibc, and C17's implementations, do. The block is gone. */
void abi_resize_to_nothing(struct abi_block *block);

/* The calls that nobody can serve. `block` NULL: none is at hand. */
void abi_ask_impossible(unsigned which, unsigned by, struct abi_block *block);
void abi_ask_invalid(void);

/* Sizes that a program with 64 bits may have: 4 GiB and some bytes. */
void abi_ask_giant(unsigned which, unsigned by);

#endif
