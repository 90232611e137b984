/* malloc_abi: fuzzes the malloc family of any library, as a program sees it, as a black box.
 *
 * HEAPMILL_FUZZ_LIBRARY=./libmine.so names the library. It is loaded beside the process's own
 * malloc, so that the harness does not depend on what it tests. LD_PRELOAD works too. Nothing is
 * rebuilt.
 *
 * malloc_abi_promises.c states what is promised, and by which document; fuzz/deviation.h explains
 * how one broken promise does not hide the others. An input is a palette program (fuzz/palette.h):
 * four kinds of requests, and operations on them. A library keeps state between inputs, so a
 * finding includes all inputs that the process has played (fuzz/history.h). */
#include <stdlib.h>
#include <unistd.h>

#include "allocators/heap.h"
#include "fuzz/asan.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/history.h"
#include "fuzz/mutator.h"
#include "fuzz/oracle.h"
#include "fuzz/targets/malloc_abi_family.h"
#include "fuzz/targets/malloc_abi_state.h"

enum { ABI_OVERLAP_BLOCKS = 512 /* the newest ones, with which each new block is compared */ };

/* The sixteen kinds of operation of the format. */
enum abi_kind {
    ABI_KIND_TAKE,       /* of an entry; the argument is argument & 3 */
    ABI_KIND_TAKE_BURST, /* 2 to 65 of an entry */
    ABI_KIND_TAKE_NEAR,  /* as the first, with another size or alignment: argument >> 2 */
    ABI_KIND_GIVE_AT,    /* the block at argument / 256 of the live ones */
    ABI_KIND_GIVE_NEWEST,
    ABI_KIND_GIVE_OLDEST,
    ABI_KIND_GIVE_BURST, /* every second to fifth block, or 2 to 64 from a place on */
    ABI_KIND_RESIZE,     /* to the size of an entry */
    ABI_KIND_RESIZE_BY,  /* by a few bytes, or to a multiple or a part of its size */
    ABI_KIND_PAIRS,      /* 1 to 64 times: allocates an entry and frees it at once */
    ABI_KIND_IMPOSSIBLE,
    ABI_KIND_INVALID_OR_CHECK,
    ABI_KIND_PLAYER, /* another thread continues; one time in four this one ends */
    ABI_KIND_THREADS,
    ABI_KIND_FORK,     /* if the argument is below 24; otherwise it replaces the oldest block */
    ABI_KIND_GIVE_ALL, /* if the argument is below 64; otherwise it replaces a block */
};

static struct abi_state abi_state;

/* ---------------------------------------------------------------- requests */
static size_t abi_size_of(unsigned kind, size_t detail)
{
    switch (kind) {
    case 3:
        return detail % 18;
    case 4:
        return 1 + 4 * detail;
    case 5: /* near powers of two */
        return ((size_t)8 << detail % 14) + (detail >> 4) % 3 - 1;
    case 6:
        return 16 * (detail + 1);
    case 7: /* near multiples of a page */
        return 4096 * (1 + detail % 32) + detail / 32 - 4;
    case 8:
        return 4096 * (detail + 8) + detail;
    case 9:
        return ((size_t)1 << (17 + detail % 6)) + 4096 * (detail / 6 % 5) - 8192 + detail / 32;
    case 10:
        return 65536 * (detail + 1) + 7 * detail;
    case 11:
        return ((size_t)1 << 20) * (1 + detail % 64) + 4096 * (detail / 64) - 4096;
    case 12:
        return 1 + 131 * detail; /* up to 32 KiB */
    default:
        return 1 + detail % 128;
    }
}

static size_t abi_round_up(size_t size, size_t alignment)
{
    return (size + alignment - 1) & ~(alignment - 1);
}

struct abi_request abi_request_of(const struct abi_state *state, unsigned entry, unsigned variation)
{
    static const enum abi_call calls[16] = {
        ABI_MALLOC,       ABI_MALLOC,        ABI_MALLOC,        ABI_MALLOC,
        ABI_CALLOC,       ABI_CALLOC,        ABI_CALLOC,        ABI_REALLOC,
        ABI_REALLOCARRAY, ABI_ALIGNED_ALLOC, ABI_ALIGNED_ALLOC, ABI_POSIX_MEMALIGN,
        ABI_MEMALIGN,     ABI_VALLOC,        ABI_PVALLOC,       ABI_NEW};
    unsigned bits = state->palette.entries[entry & 3];
    struct abi_request request = {.call = calls[bits >> 12], .alignment = 1, .count = 1};
    request.size = abi_size_of(bits >> 8 & 15, bits & 255);
    bool aligned = request.call == ABI_ALIGNED_ALLOC || request.call == ABI_MEMALIGN ||
                   request.call == ABI_POSIX_MEMALIGN;
    if (aligned) {
        unsigned shift = variation < 44 ? 3 + (variation + bits) % 10 : 13 + variation % 12;
        request.alignment = (size_t)1 << shift;
        if (request.call == ABI_ALIGNED_ALLOC) { /* C11 requires a multiple */
            bool equal = (bits >> 12) == 10;
            request.size =
                equal ? request.alignment : abi_round_up(request.size, request.alignment);
        }
    } else if (variation != 0) {
        size_t moved = request.size + variation;
        request.size = moved > 32 ? moved - 32 : 1;
        request.count = variation % 5 == 0 ? 4 : 1;
    }
    return request;
}

/* ---------------------------------------------------------------- verbs */
static void abi_expect_apart(const struct abi_state *state, const struct abi_block *block)
{
    uint32_t from = state->live > ABI_OVERLAP_BLOCKS ? state->live - ABI_OVERLAP_BLOCKS : 0;
    for (uint32_t i = from; i < state->live; i++) {
        const struct abi_block *other = &state->blocks[i];
        if (block->address < other->address + other->usable &&
            other->address < block->address + block->usable && other != block) {
            fuzz_deviate(
                &abi_overlap, abi_call_name(block->call), abi_class(block->size, block->alignment),
                "a block of %zu bytes overlaps a live one of %zu", block->size, other->size);
        }
    }
}

static void abi_say_take(struct abi_state *state, const struct abi_request *request)
{
    unsigned name = state->name_next;
    const char *call = abi_call_name(request->call);
    switch (request->call) {
    case ABI_CALLOC:
        (void)fprintf(state->text, "b%u = calloc(%zu, %zu);\n", name, request->count,
                      request->size / request->count);
        break;
    case ABI_REALLOC:
        (void)fprintf(state->text, "b%u = realloc(NULL, %zu);\n", name, request->size);
        break;
    case ABI_REALLOCARRAY:
        (void)fprintf(state->text, "b%u = reallocarray(NULL, %zu, %zu);\n", name, request->count,
                      request->size / request->count);
        break;
    case ABI_POSIX_MEMALIGN:
        (void)fprintf(state->text, "posix_memalign(&b%u, %zu, %zu);\n", name, request->alignment,
                      request->size);
        break;
    case ABI_ALIGNED_ALLOC:
    case ABI_MEMALIGN:
        (void)fprintf(state->text, "b%u = %s(%zu, %zu);\n", name, call, request->alignment,
                      request->size);
        break;
    case ABI_NEW:
        (void)fprintf(state->text, "b%u = operator new(%zu);\n", name, request->size);
        break;
    default:
        (void)fprintf(state->text, "b%u = %s(%zu);\n", name, call, request->size);
    }
}

/* Can the input afford this request? Its work is limited. */
static bool abi_affords(struct abi_state *state, size_t size, size_t alignment)
{
    size_t work = size + alignment / 16;
    if (state->live == ABI_BLOCKS_MAX || state->live_bytes + size > ABI_LIVE_BYTES_MAX ||
        work > state->work_bytes_left) {
        return false;
    }
    state->work_bytes_left -= work;
    return true;
}

void abi_state_take(struct abi_state *state, const struct abi_request *wanted)
{
    struct abi_request request = *wanted;
    struct abi_block *block = &state->blocks[state->live];
    request.count = request.count > 0 && request.size % request.count == 0 ? request.count : 1;
    if (!abi_affords(state, request.size, request.alignment)) {
        return;
    }
    fuzz_count_operation();
    if (state->text != NULL) {
        abi_say_take(state, &request);
        *block = (struct abi_block){.call = request.call, .size = request.size, .usable = 0};
    } else if (!abi_take(&request, block)) {
        return;
    } else {
        abi_expect_apart(state, block);
    }
    state->names[state->live++] = state->name_next++;
    state->live_bytes += request.size;
}

static void abi_state_remove(struct abi_state *state, uint32_t at)
{
    state->live_bytes -= state->blocks[at].size;
    state->live--;
    state->blocks[at] = state->blocks[state->live];
    state->names[at] = state->names[state->live];
}

void abi_state_give(struct abi_state *state, uint32_t at)
{
    if (at >= state->live) {
        return;
    }
    fuzz_count_operation();
    if (state->text != NULL) {
        (void)fprintf(state->text, "free(b%u);\n", state->names[at]);
    } else {
        abi_give(&state->blocks[at]);
    }
    abi_state_remove(state, at);
}

static void abi_state_give_all(struct abi_state *state)
{
    while (state->live > 0) {
        abi_state_give(state, state->live - 1);
    }
}

void abi_state_resize(struct abi_state *state, uint32_t at, size_t size, bool by_array)
{
    struct abi_block *block = &state->blocks[at];
    size_t old = block->size;
    size = size > 0 ? size : 1;
    if (at >= state->live || !abi_affords(state, size > old ? size : 0, 1)) {
        return;
    }
    fuzz_count_operation();
    if (state->text != NULL) {
        (void)fprintf(state->text, "b%u = %s(b%u, %zu%s); /* from %zu */\n", state->names[at],
                      by_array ? "reallocarray" : "realloc", state->names[at], size,
                      by_array ? ", 1" : "", old);
        block->size = size;
    } else if (abi_resize(block, size, by_array)) {
        abi_expect_apart(state, block);
    }
    state->live_bytes += block->size - old;
}

void abi_state_check(const struct abi_state *state, const char *after)
{
    for (uint32_t i = 0; i < state->live; i++) {
        abi_check(&state->blocks[i], after);
    }
}

/* ---------------------------------------------------------------- operations */
static void abi_say(const struct abi_state *state, const char *what, unsigned argument)
{
    if (state->text != NULL) {
        (void)fprintf(state->text, "/* %s (%u) */\n", what, argument);
    }
}

static uint32_t abi_place(const struct abi_state *state, unsigned argument)
{
    return (uint32_t)((uint64_t)state->live * argument / 256);
}

static void abi_give_burst(struct abi_state *state, unsigned argument)
{
    if (argument < 128) { /* every second to fifth block */
        for (uint32_t at = argument % 4; at < state->live; at += 1 + argument % 4) {
            abi_state_give(state, at);
        }
        return;
    }
    uint32_t at = abi_place(state, (argument * 37) & 255);
    for (unsigned i = 0; i < 2 + argument % 63 && at < state->live; i++) {
        abi_state_give(state, at);
    }
}

static void abi_resize_by(struct abi_state *state, unsigned argument)
{
    uint32_t at = abi_place(state, (argument * 11) & 255);
    if (at >= state->live) {
        return;
    }
    size_t size = state->blocks[at].size;
    const size_t sizes[16] = {size + 1,        size > 1 ? size - 1 : 1,
                              size + 8,        size > 8 ? size - 8 : 1,
                              2 * size,        size / 2,
                              size + size / 2, size / 4,
                              size + 4096,     size > 4096 ? size - 4096 : 1,
                              4 * size,        size + (1 << 20),
                              size * 3 / 4,    size / 8,
                              size + 16,       size};
    if (argument >= 250) {
        abi_say(state, "realloc(p, 0), of the block that is freed next", argument);
        if (state->text == NULL) {
            abi_resize_to_nothing(&state->blocks[at]);
        }
        abi_state_remove(state, at);
        return;
    }
    abi_state_resize(state, at, sizes[argument % 16], argument / 16 % 4 == 3);
}

static void abi_inspect(struct abi_state *state, unsigned argument)
{
    if (argument < 64) {
        abi_say(state, "alignments that posix_memalign refuses; NULL's usable size; free(NULL)",
                argument);
        if (state->text == NULL) {
            abi_ask_invalid();
        }
    } else if (argument >= 252) {
        abi_say(state, "4 GiB and some bytes, by malloc or realloc, and less again", argument);
        if (state->text == NULL) {
            abi_ask_giant(argument, state->palette.entries[0]);
        }
    } else {
        abi_say(state, "all contents are compared", argument);
        if (state->text == NULL && state->live_bytes / 2 <= state->work_bytes_left) {
            state->work_bytes_left -= state->live_bytes / 2;
            abi_state_check(state, NULL);
        }
    }
}

static void abi_use_threads(struct abi_state *state, unsigned argument)
{
    unsigned count = 1 + (argument >> 2) % 32;
    if (state->costly_left == 0) {
        return;
    }
    state->costly_left--;
    switch (argument & 3) {
    case 0:
        abi_threads_free(state, count);
        break;
    case 1:
        abi_threads_take(state, argument >> 3 & 3, count);
        break;
    case 2:
        abi_say(state, "two threads allocate and free at once, and exchange blocks", argument);
        if (state->text == NULL) {
            abi_threads_race(state, state->next * 256 + argument);
        }
        break;
    default:
        if (argument >> 2 >= 16 || !state->storm_left) {
            abi_threads_free(state, count);
            break;
        }
        state->storm_left = false;
        abi_say(state,
                "96 threads come one after the other, with 1 MiB each, all of which is freed",
                argument);
        if (state->text == NULL) {
            abi_threads_storm(state, argument >> 2 & 3, argument >> 4 & 3);
        }
    }
}

static void abi_replace(struct abi_state *state, uint32_t at, unsigned argument)
{
    abi_state_give(state, at);
    const struct abi_request request = abi_request_of(state, argument & 3, argument >> 2);
    abi_state_take(state, &request);
}

static void abi_fork_or_replace(struct abi_state *state, unsigned argument)
{
    if (argument >= 24) {
        abi_replace(state, 0, argument);
    } else if (state->text != NULL) {
        abi_say(state,
                argument < 4 ? "a child is forked while another thread allocates"
                             : "a child is forked",
                argument);
    } else if (state->player == 0 && state->costly_left > 0) {
        /* The main thread forks, because the child has no other thread. */
        state->costly_left--;
        abi_fork(state, argument < 4);
    }
}

static void abi_change_player(struct abi_state *state, unsigned argument)
{
    state->player = argument % ABI_PLAYERS;
    state->player_leaves = argument >= 192;
    if (state->text != NULL) {
        (void)fprintf(state->text, "/* thread %u goes on%s */\n", state->player,
                      state->player_leaves ? "; the one before ends, if it is not the first" : "");
    }
}

static void abi_requests(struct abi_state *state, unsigned kind, unsigned argument)
{
    struct abi_request request =
        abi_request_of(state, argument & 3, kind == ABI_KIND_TAKE_NEAR ? argument >> 2 : 0);
    unsigned count = kind == ABI_KIND_TAKE_BURST ? 2 + (argument >> 2) : 1;
    for (unsigned i = 0; i < count; i++) {
        abi_state_take(state, &request);
    }
    for (unsigned i = 0; kind == ABI_KIND_PAIRS && i < 1 + argument / 4; i++) {
        uint32_t before = state->live;
        abi_state_take(state, &request);
        if (state->live > before) {
            abi_state_give(state, before);
        }
    }
}

static void abi_operate(struct abi_state *state, unsigned kind, unsigned argument)
{
    switch (kind) {
    case ABI_KIND_GIVE_AT:
        abi_state_give(state, abi_place(state, argument));
        break;
    case ABI_KIND_GIVE_NEWEST:
        abi_state_give(state, state->live - 1);
        break;
    case ABI_KIND_GIVE_OLDEST:
        abi_state_give(state, 0);
        break;
    case ABI_KIND_GIVE_BURST:
        abi_give_burst(state, argument);
        break;
    case ABI_KIND_RESIZE:
        abi_state_resize(state, abi_place(state, argument & 0xfc),
                         abi_request_of(state, argument & 3, 0).size, argument % 32 == 0);
        break;
    case ABI_KIND_RESIZE_BY:
        abi_resize_by(state, argument);
        break;
    case ABI_KIND_IMPOSSIBLE:
        abi_say(state, "a request that nobody can serve", argument);
        if (state->text == NULL) {
            abi_ask_impossible(argument, (unsigned)(state->next * 31 + argument / 8),
                               state->live > 0 ? &state->blocks[abi_place(state, argument)] : NULL);
        }
        break;
    case ABI_KIND_INVALID_OR_CHECK:
        abi_inspect(state, argument);
        break;
    case ABI_KIND_PLAYER:
        abi_change_player(state, argument);
        break;
    case ABI_KIND_THREADS:
        abi_use_threads(state, argument);
        break;
    case ABI_KIND_FORK:
        abi_fork_or_replace(state, argument);
        break;
    case ABI_KIND_GIVE_ALL:
        if (argument < 64) {
            abi_state_give_all(state);
        } else {
            abi_replace(state, abi_place(state, (argument * 13) & 255), argument);
        }
        break;
    default:
        abi_requests(state, kind, argument);
    }
}

bool abi_state_play(struct abi_state *state)
{
    while (state->next < state->palette.count) {
        unsigned kind = palette_kind(&state->palette, state->next);
        unsigned argument = palette_argument(&state->palette, state->next);
        unsigned player = state->player;
        state->next++;
        abi_operate(state, kind, argument);
        if (state->careful && state->text == NULL) {
            char after[96];
            (void)snprintf(after, sizeof(after), "operation %zu (kind %u, argument %u)",
                           state->next, kind, argument);
            abi_state_check(state, after);
        }
        if (state->player != player) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- the target */
static void abi_begin(struct abi_state *state, const uint8_t *data, size_t size)
{
    palette_read(&state->palette, data, size);
    state->next = 0;
    state->live = 0;
    state->live_bytes = 0;
    unsigned cost = state->palette.flags % 64;
    state->work_bytes_left = (size_t)(cost == 0 ? 192 : cost <= 4 ? 16 : 1) << 20;
    state->costly_left = cost <= 4 ? 8 : 2;
    state->storm_left = cost <= 4;
#ifdef FUZZ_ASAN
    state->storm_left = false;                  /* its quarantine keeps freed blocks */
    state->costly_left = cost % 4 == 0 ? 1 : 0; /* a child copies the shadow of all memory */
#endif
    state->player = 0;
    state->player_leaves = false;
    state->name_next = 0;
    state->text = NULL;
    state->careful = getenv("HEAPMILL_FUZZ_CAREFUL") != NULL;
}

static void malloc_abi_run(const uint8_t *data, size_t size)
{
    const uint8_t *input;
    size_t input_size;
    size_t at = 0;
    (void)malloc_abi_family_get();
    fuzz_watch_begin(&abi_crash, &abi_hang);
    while (fuzz_batch_next(data, size, &at, &input, &input_size)) {
        fuzz_history_add(input, input_size);
        fuzz_begin();
        abi_begin(&abi_state, input, input_size);
        abi_threads_play(&abi_state);
        abi_state_check(&abi_state, NULL);
        abi_state_give_all(&abi_state);
        fuzz_progress();
    }
}

static void malloc_abi_print(const uint8_t *data, size_t size, FILE *out)
{
    const uint8_t *input;
    size_t input_size;
    size_t at = 0;
    while (fuzz_batch_next(data, size, &at, &input, &input_size)) {
        abi_begin(&abi_state, input, input_size);
        abi_state.text = out;
        (void)fprintf(out, "/* an input of %zu operations */\n", abi_state.palette.count);
        abi_threads_play(&abi_state);
        abi_state_give_all(&abi_state);
    }
}

const struct fuzz_target fuzz_target_malloc_abi = {
    .name = "malloc_abi",
    .summary = "the malloc family of any library, as a black box, against C, POSIX and glibc",
    .format = "palette-1",
    .outlives_input = true,
    .run = malloc_abi_run,
    .print = malloc_abi_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    malloc_abi_run(data, size);
    return 0;
}
