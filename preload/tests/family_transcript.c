/* Calls every member of the malloc family with every argument that matters and prints what came out
 * of it, so that the answers under a preloaded library can be compared with those under glibc.
 *
 * What a member's arguments mean is read from their names in preload/family.h: it is that table
 * that is tested, and a member that is added to it is tested too. A member that this C library
 * lacks (free_sized before glibc 2.43) is played by free. Where HEAPMILL_EXPECT_MALLOC names a
 * library, every member must live in it: exit 1. */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/family.h"

enum { ARGUMENTS_MAX = 3, FILL = 0x5a, LARGE_BYTES = 1 << 21 };

/* Any member, as the calling conventions of x86-64 and arm64 allow: more arguments than it takes.
 */
typedef uintptr_t any_member(uintptr_t, uintptr_t, uintptr_t);

struct call {
    const char *name;
    const char *words; /* "(size_t count, size_t size)" */
    any_member *function;
    uintptr_t arguments[ARGUMENTS_MAX];
};

static const size_t sizes[] = {0,
                               1,
                               8,
                               15,
                               16,
                               17,
                               24,
                               100,
                               255,
                               256,
                               257,
                               511,
                               512,
                               513,
                               1000,
                               4095,
                               4096,
                               70000,
                               1 << 20,
                               PTRDIFF_MAX,
                               PTRDIFF_MAX + (size_t)1,
                               SIZE_MAX - 4096,
                               SIZE_MAX - 15,
                               SIZE_MAX};
static const size_t counts[] = {0, 1, 3, SIZE_MAX / 8, SIZE_MAX};
static const size_t alignments[] = {0,
                                    1,
                                    2,
                                    3,
                                    7,
                                    8,
                                    15,
                                    16,
                                    17,
                                    24,
                                    31,
                                    32,
                                    33,
                                    48,
                                    64,
                                    100,
                                    128,
                                    4096,
                                    5000,
                                    65536,
                                    1 << 20,
                                    (size_t)1 << 62,
                                    ((size_t)1 << 63) + 1,
                                    SIZE_MAX};
enum {
    SIZES = sizeof(sizes) / sizeof(sizes[0]),
    COUNTS = sizeof(counts) / sizeof(counts[0]),
    ALIGNMENTS = sizeof(alignments) / sizeof(alignments[0]),
};

static bool failed;
static char nothrow; /* std::nothrow has no contents */
static jmp_buf no_memory;

/* What C++ calls when operator new has nothing to give: the exception is not awaited. */
typedef void new_handler(void);
extern new_handler *_ZSt15set_new_handlerPFvvE(new_handler *handler);

static void leave_operator_new(void)
{
    longjmp(no_memory, 1);
}

/* ---------------------------------------------------------------- what an argument is */
/* The position of the argument of that name; -1: there is none. */
static int role(const struct call *call, const char *name)
{
    const char *found = strstr(call->words, name);
    int position = 0;
    while (found != NULL && (found[strlen(name)] != ',' && found[strlen(name)] != ')')) {
        found = strstr(found + 1, name);
    }
    for (const char *at = call->words; found != NULL && at < found; at++) {
        position += *at == ',';
    }
    return found == NULL ? -1 : position;
}

static void set(struct call *call, const char *name, uintptr_t value)
{
    int position = role(call, name);
    if (position >= 0) {
        call->arguments[position] = value;
    }
}

static uintptr_t run(const struct call *call)
{
    errno = 0;
    return call->function(call->arguments[0], call->arguments[1], call->arguments[2]);
}

/* ---------------------------------------------------------------- what a block is */
static bool is_filled(const unsigned char *bytes, size_t size, unsigned char with)
{
    return size == 0 || (bytes[0] == with && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Prints what there is to say of an answer, and frees it. kept: bytes that must be FILL. */
static void tell(const struct call *call, unsigned char *block, size_t bytes, size_t alignment,
                 size_t kept)
{
    int code = errno;
    (void)printf("%s", call->name);
    for (int i = 0; i < ARGUMENTS_MAX && strcmp(call->words, "(void)") != 0; i++) {
        if (i == role(call, "size") || i == role(call, "count") || i == role(call, "alignment")) {
            (void)printf(" %zu", call->arguments[i]);
        }
    }
    if (block == NULL) {
        (void)printf(": NULL, errno %d\n", code);
        return;
    }
    size_t usable = malloc_usable_size(block);
    bool power = alignment != 0 && (alignment & (alignment - 1)) == 0;
    (void)printf(": a block, errno %d%s%s%s%s\n", code,
                 (uintptr_t)block % FAMILY_ALIGNMENT == 0 ? "" : ", not aligned to 16",
                 power && (uintptr_t)block % alignment != 0 ? ", not aligned as asked" : "",
                 usable >= bytes ? "" : ", too small",
                 is_filled(block, kept, FILL) ? "" : ", contents lost");
    memset(block, 1, usable < LARGE_BYTES ? usable : LARGE_BYTES);
    free(block);
}

/* ---------------------------------------------------------------- the kinds of members */
static void take_once(struct call *call, size_t size, size_t count, size_t alignment)
{
    set(call, "size", size);
    set(call, "count", count);
    set(call, "alignment", alignment);
    unsigned char *block = (unsigned char *)run(call);
    size_t bytes = family_product(size, count);
    if (block != NULL && role(call, "count") >= 0 && !is_filled(block, bytes, 0)) {
        (void)printf("not zero: ");
    }
    tell(call, block, bytes, alignment, 0);
}

static void test_take(struct call call)
{
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t count = 0; count < (role(&call, "count") >= 0 ? COUNTS : 1); count++) {
            for (size_t i = 0; i < (role(&call, "alignment") >= 0 ? ALIGNMENTS : 1); i++) {
                take_once(&call, sizes[size], role(&call, "count") >= 0 ? counts[count] : 1,
                          role(&call, "alignment") >= 0 ? alignments[i] : 0);
            }
        }
    }
}

/* Without a handler the nothrow forms answer; the others would throw. */
static __attribute__((noinline)) void new_once(struct call *call, size_t size, size_t alignment)
{
    if (setjmp(no_memory) == 0) {
        (void)_ZSt15set_new_handlerPFvvE(role(call, "nothrow") >= 0 ? NULL : leave_operator_new);
        take_once(call, size, 1, alignment);
    } else {
        (void)printf("%s %zu %zu: the new-handler\n", call->name, size, alignment);
    }
    (void)_ZSt15set_new_handlerPFvvE(NULL);
}

/* Of an alignment that is none, C++ says nothing; and of libstdc++ 12 a size that rounding up to
 * the alignment takes beyond SIZE_MAX gets a block that is too small. */
static void test_new(struct call call)
{
    bool aligned = role(&call, "alignment") >= 0;
    set(&call, "nothrow", (uintptr_t)&nothrow);
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t i = 0; i < (aligned ? ALIGNMENTS : 1); i++) {
            size_t alignment = aligned ? alignments[i] : FAMILY_ALIGNMENT;
            bool valid = alignment != 0 && (alignment & (alignment - 1)) == 0;
            if (valid && (!aligned || sizes[size] <= SIZE_MAX - alignment)) {
                new_once(&call, sizes[size], alignment);
            }
        }
    }
}

static void test_align(struct call call)
{
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t i = 0; i < ALIGNMENTS; i++) {
            void *block = &call;
            set(&call, "result", (uintptr_t)&block);
            set(&call, "size", sizes[size]);
            set(&call, "alignment", alignments[i]);
            int answer = (int)run(&call);
            (void)printf("%d%s ", answer, answer != 0 && block != &call ? ", result changed" : "");
            tell(&call, answer == 0 ? block : NULL, sizes[size], alignments[i], 0);
        }
    }
}

static void resize_once(struct call *call, size_t from, size_t size, size_t count)
{
    unsigned char *block = NULL;
    if (from != SIZE_MAX) {
        block = malloc(from);
        memset(block, FILL, from);
    }
    set(call, "block", (uintptr_t)block);
    set(call, "size", size);
    set(call, "count", count);
    unsigned char *moved = (unsigned char *)run(call);
    size_t bytes = family_product(size, count);
    (void)printf("from %zd: ", (ssize_t)from);
    tell(call, moved, bytes, 0, from == SIZE_MAX ? 0 : from < bytes ? from : bytes);
    if (moved == NULL && bytes != 0 && block != NULL) {
        (void)printf("  the old block is %s\n", is_filled(block, from, FILL) ? "whole" : "damaged");
        free(block);
    }
}

static void test_resize(struct call call)
{
    static const size_t froms[] = {SIZE_MAX, 0, 1, 16, 100, 256, 257, 512, 513, 5000, 200000};
    for (size_t from = 0; from < sizeof(froms) / sizeof(froms[0]); from++) {
        for (size_t size = 0; size < SIZES; size++) {
            for (size_t count = 0; count < (role(&call, "count") >= 0 ? COUNTS : 1); count++) {
                resize_once(&call, froms[from], sizes[size],
                            role(&call, "count") >= 0 ? counts[count] : 1);
            }
        }
    }
}

/* Blocks of every size, enough that memory goes back to the system on the way. */
static void test_give(struct call call)
{
    enum { BLOCKS = 3000 };
    static void *blocks[BLOCKS];
    size_t alignment = role(&call, "alignment") >= 0 ? 64 : 0;
    set(&call, "nothrow", (uintptr_t)&nothrow);
    set(&call, "alignment", alignment);
    set(&call, "block", 0);
    call.function(call.arguments[0], call.arguments[1], call.arguments[2]);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = i % 10 == 0 ? sizes[i / 10 % 18] : 240;
        blocks[i] = alignment != 0 ? aligned_alloc(alignment, size) : malloc(size);
    }
    errno = ERANGE;
    for (size_t i = 0; i < BLOCKS; i++) {
        set(&call, "block", (uintptr_t)blocks[i]);
        set(&call, "size", i % 10 == 0 ? sizes[i / 10 % 18] : 240);
        call.function(call.arguments[0], call.arguments[1], call.arguments[2]);
    }
    (void)printf("%s: errno %d\n", call.name, errno);
}

/* ---------------------------------------------------------------- the members that are asked */
static void test_asks(void)
{
    enum { BLOCKS = 1000, BYTES = 400 };
    static void *blocks[BLOCKS];
    struct mallinfo2 before = mallinfo2();
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BYTES);
    }
    struct mallinfo2 after = mallinfo2();
    (void)printf("mallinfo2: %s\n",
                 after.uordblks - before.uordblks >= (size_t)BLOCKS * BYTES ? "rises" : "does not");
    (void)printf("mallinfo2: %s\n",
                 after.arena + after.hblkhd >= after.uordblks ? "adds up" : "does not");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    (void)printf("mallinfo: %s\n",
                 mallinfo().uordblks == (int)mallinfo2().uordblks ? "the same" : "another");
#pragma GCC diagnostic pop
    for (size_t i = 0; i < BLOCKS; i++) {
        free(blocks[i]);
    }
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    (void)printf("malloc_info: %d, %d\n", malloc_info(1, file), malloc_info(0, file));
    (void)fclose(file);
    (void)printf("malloc_info: %.19s …\n", text);
    free(text);
    int trimmed = malloc_trim(0);
    (void)printf("malloc_trim: %s\n", trimmed == 0 || trimmed == 1 ? "answers" : "does not");
    (void)printf("mallopt: %d\n", mallopt(M_TRIM_THRESHOLD, 1 << 20));
    (void)printf("malloc_usable_size: %zu\n", malloc_usable_size(NULL));
    malloc_stats();
}

/* ---------------------------------------------------------------- the table */
static struct call find(const char *name, const char *words)
{
    const char *expected = getenv("HEAPMILL_EXPECT_MALLOC");
    struct call call = {.name = name, .words = words};
    Dl_info owner;
    *(void **)&call.function = dlsym(RTLD_DEFAULT, name);
    if (expected != NULL &&
        (call.function == NULL || dladdr(*(void **)&call.function, &owner) == 0 ||
         strstr(owner.dli_fname, expected) == NULL)) {
        (void)fprintf(stderr, "%s does not live in %s\n", name, expected);
        failed = true;
    }
    if (call.function == NULL) {
        *(void **)&call.function = dlsym(RTLD_DEFAULT, "free");
    }
    return call;
}

int main(void)
{
#define TEST_TAKE_(name, parameters, ...) test_take(find(#name, #parameters));
#define TEST_RESIZE_(name, parameters, ...) test_resize(find(#name, #parameters));
#define TEST_ALIGN_(name, parameters, ...) test_align(find(#name, #parameters));
#define TEST_NEW_(name, parameters, ...) test_new(find(#name, #parameters));
#define TEST_GIVE_(name, parameters, ...) test_give(find(#name, #parameters));
#define TEST_ASK_(name, type, parameters, ...) (void)find(#name, #parameters);
    FAMILY(TEST_TAKE_, TEST_RESIZE_, TEST_ALIGN_, TEST_NEW_, TEST_GIVE_, TEST_ASK_)
    test_asks();
    return failed;
}
