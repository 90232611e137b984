/* Finds the live blocks that can still be reached, by a conservative mark over the process's own
 * memory, after Boehm and Weiser, "Garbage collection in an uncooperative environment" (1988).
 *
 * Roots are the private writable mappings (data segments, stacks, memory that the program mapped
 * itself), except mappings in which the allocator keeps small blocks: free memory there still holds
 * old pointers, which would hide leaks. Of the stack that this runs on only the used part is a
 * root. The thread's own static data may lie in a mapping that was merged with an arena, so it is a
 * root of its own. Two errors remain: an integer may look like a pointer, and then a leak is
 * missed; a block that only another thread's merged stack points at is called leaked. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/os_memory.h"
#include "preload/leaktrack.h"

enum {
    LEAKTRACK_MAPS_BYTES = 1 << 22,         /* /proc/self/maps: 40,000 lines */
    LEAKTRACK_WINDOW_BYTES = 1 << 16,       /* read at once */
    LEAKTRACK_PAGE_BYTES = 1 << 12,         /* the smallest page size */
    LEAKTRACK_OWN_MAPPING_BYTES = 1 << 17,  /* glibc's M_MMAP_THRESHOLD: such a block has its own */
    LEAKTRACK_STATIC_BELOW_BYTES = 1 << 14, /* thread-local data below the thread pointer */
    LEAKTRACK_STATIC_ABOVE_BYTES = 1 << 12, /* struct pthread above it: 2304 bytes in glibc 2.36 */
};

struct leaktrack_mark {
    struct leaktrack_block *blocks; /* sorted by address */
    unsigned char *reached;
    size_t *work;
    size_t count;
    size_t work_count;
    uintptr_t *window; /* the part of a root that was read */
    uint64_t *pages;   /* the part of pagemap that was read */
    char *maps;
    size_t mapped_bytes; /* size of the one mapping that holds all of the above */
    bool of_libc;        /* is glibc's own data being read? */
    int memory;          /* /proc/self/mem: reading a missing page is an error, not a signal */
    int pagemap;         /* /proc/self/pagemap */
};

/* ---------------------------------------------------------------- the blocks, by address */
static void leaktrack_sift(struct leaktrack_block *blocks, size_t root, size_t count)
{
    struct leaktrack_block moving = blocks[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && blocks[child + 1].address > blocks[child].address) {
            child++;
        }
        if (blocks[child].address <= moving.address) {
            break;
        }
        blocks[root] = blocks[child];
    }
    blocks[root] = moving;
}

/* Heapsort (Williams, 1964), because qsort may call malloc. */
static void leaktrack_sort(struct leaktrack_block *blocks, size_t count)
{
    for (size_t root = count / 2; root-- > 0;) {
        leaktrack_sift(blocks, root, count);
    }
    for (size_t end = count; end > 1; end--) {
        struct leaktrack_block last = blocks[end - 1];
        blocks[end - 1] = blocks[0];
        blocks[0] = last;
        leaktrack_sift(blocks, 0, end - 1);
    }
}

/* The number of blocks that begin at or before the address. */
static size_t leaktrack_count_until(const struct leaktrack_mark *mark, uintptr_t address)
{
    size_t low = 0, high = mark->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mark->blocks[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---------------------------------------------------------------- marking */
/* The offset from a block of that many bytes to glibc's next chunk (malloc.c of 2.36, "chunk" and
 * request2size). The block may use the first word of that chunk, so glibc's own pointers to its
 * free memory (the top of its arena, its bins) look like pointers to the end of the block. */
static size_t leaktrack_next_chunk(size_t bytes)
{
    size_t chunk = (bytes + 8 + 15) & ~(size_t)15;
    return (chunk < 32 ? 32 : chunk) - 16;
}

static void leaktrack_mark_word(struct leaktrack_mark *mark, uintptr_t word)
{
    size_t until = leaktrack_count_until(mark, word);
    if (until == 0 || mark->reached[until - 1]) {
        return;
    }
    const struct leaktrack_block *block = &mark->blocks[until - 1];
    size_t offset = word - block->address;
    if (offset < (block->bytes == 0 ? 1 : block->bytes) &&
        !(mark->of_libc && offset == leaktrack_next_chunk(block->bytes))) {
        mark->reached[until - 1] = 1;
        mark->work[mark->work_count++] = until - 1;
    }
}

static void leaktrack_mark_words(struct leaktrack_mark *mark, const uintptr_t *words, size_t count)
{
    uintptr_t low = mark->blocks[0].address;
    uintptr_t high = mark->blocks[mark->count - 1].address + mark->blocks[mark->count - 1].bytes;
    for (size_t i = 0; i < count; i++) {
        if (words[i] >= low && words[i] <= high) {
            leaktrack_mark_word(mark, words[i]);
        }
    }
}

/* Marks from the memory between low and high, which is present. */
static void leaktrack_mark_present(struct leaktrack_mark *mark, uintptr_t low, uintptr_t high)
{
    low = (low + sizeof(uintptr_t) - 1) & ~(uintptr_t)(sizeof(uintptr_t) - 1);
    while (low < high) {
        size_t wanted = high - low < LEAKTRACK_WINDOW_BYTES ? high - low : LEAKTRACK_WINDOW_BYTES;
        ssize_t got = pread(mark->memory, mark->window, wanted, (off_t)low);
        if (got >= (ssize_t)sizeof(uintptr_t)) {
            leaktrack_mark_words(mark, mark->window, (size_t)got / sizeof(uintptr_t));
            low += (size_t)got;
        } else { /* the program cannot use an unreadable page either */
            low = (low | (LEAKTRACK_PAGE_BYTES - 1)) + 1;
        }
    }
}

/* Marks from a root. Pages that the program never touched have no pointers, and reading them would
 * cost the program memory: a reservation may be larger than the machine's. /proc/self/pagemap has
 * 64 bits per page; bit 63 says that the page is in memory, bit 62 that it is swapped out
 * (Documentation/admin-guide/mm/pagemap.rst). If pagemap cannot be read, every page counts. */
static void leaktrack_mark_root(struct leaktrack_mark *mark, uintptr_t low, uintptr_t high)
{
    const size_t entries = LEAKTRACK_WINDOW_BYTES / sizeof(*mark->pages);
    uintptr_t page_bytes = (uintptr_t)getpagesize();
    uintptr_t page = low / page_bytes, end = (high + page_bytes - 1) / page_bytes;
    while (page < end) {
        size_t wanted = end - page < entries ? end - page : entries;
        ssize_t got = pread(mark->pagemap, mark->pages, wanted * sizeof(*mark->pages),
                            (off_t)(page * sizeof(*mark->pages)));
        size_t count = got <= 0 ? wanted : (size_t)got / sizeof(*mark->pages);
        for (size_t i = 0; i < count; i++) {
            size_t first = i;
            while (i < count && (got <= 0 || mark->pages[i] >> 62 != 0)) {
                i++;
            }
            uintptr_t from = (page + first) * page_bytes, to = (page + i) * page_bytes;
            if (i > first) {
                leaktrack_mark_present(mark, from < low ? low : from, to > high ? high : to);
            }
        }
        page += count;
    }
}

static void leaktrack_mark_from_work(struct leaktrack_mark *mark)
{
    while (mark->work_count > 0) {
        const struct leaktrack_block *block = &mark->blocks[mark->work[--mark->work_count]];
        if (block->bytes < LEAKTRACK_PAGE_BYTES) {
            leaktrack_mark_words(mark, (const uintptr_t *)block->address,
                                 block->bytes / sizeof(uintptr_t));
        } else { /* its pages may be untouched or protected */
            leaktrack_mark_root(mark, block->address, block->address + block->bytes);
        }
    }
}

/* Marks from a root, without this library's own records, which have every block's address. */
static void leaktrack_mark_root_but_books(struct leaktrack_mark *mark, uintptr_t low,
                                          uintptr_t high)
{
    const struct {
        uintptr_t low, high;
    } own[] = {
        {(uintptr_t)&leaktrack_books, (uintptr_t)(&leaktrack_books + 1)},
        {(uintptr_t)leaktrack_books.blocks,
         (uintptr_t)(leaktrack_books.blocks + leaktrack_books.slots)},
        {(uintptr_t)mark->blocks, (uintptr_t)mark->blocks + mark->mapped_bytes},
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i].low < high && own[i].high > low) {
            if (own[i].low > low) {
                leaktrack_mark_root_but_books(mark, low, own[i].low);
            }
            if (own[i].high < high) {
                leaktrack_mark_root_but_books(mark, own[i].high, high);
            }
            return;
        }
    }
    leaktrack_mark_root(mark, low, high);
}

/* Marks from a mapping. One with small blocks belongs to the allocator and is skipped. Of one with
 * large blocks, the rest is a root. */
static void leaktrack_mark_mapping(struct leaktrack_mark *mark, uintptr_t low, uintptr_t high)
{
    size_t first = leaktrack_count_until(mark, low - 1);
    size_t end = leaktrack_count_until(mark, high - 1);
    for (size_t i = first; i < end; i++) {
        if (mark->blocks[i].bytes < LEAKTRACK_OWN_MAPPING_BYTES) {
            return;
        }
    }
    for (size_t i = first; i < end; i++) {
        leaktrack_mark_root_but_books(mark, low, mark->blocks[i].address);
        low = mark->blocks[i].address + mark->blocks[i].bytes;
    }
    if (low < high) {
        leaktrack_mark_root_but_books(mark, low, high);
    }
}

/* ---------------------------------------------------------------- the mappings */
static uintptr_t leaktrack_parse_hex(const char **text)
{
    uintptr_t value = 0;
    for (;; ++*text) {
        char c = **text;
        if (c >= '0' && c <= '9') {
            value = value << 4 | (uintptr_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            value = value << 4 | (uintptr_t)(c - 'a' + 10);
        } else {
            return value;
        }
    }
}

/* One line of /proc/self/maps: "low-high rw-p offset device inode name". */
static void leaktrack_mark_line(struct leaktrack_mark *mark, const char *line, uintptr_t stack)
{
    uintptr_t low = leaktrack_parse_hex(&line);
    line++;
    uintptr_t high = leaktrack_parse_hex(&line);
    if (strncmp(line, " rw", 3) != 0 || line[4] != 'p') {
        return;
    }
    mark->of_libc = strstr(line, "/libc.so") != NULL;
    if (low <= stack && stack < high) {
        leaktrack_mark_root_but_books(mark, stack, high);
    } else if (strstr(line, "[heap]") == NULL) {
        leaktrack_mark_mapping(mark, low, high);
    }
}

static bool leaktrack_read_maps(struct leaktrack_mark *mark)
{
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = file < 0 ? -1 : 1;
    while (got > 0 && length < LEAKTRACK_MAPS_BYTES - 1) {
        got = read(file, mark->maps + length, LEAKTRACK_MAPS_BYTES - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (file >= 0) {
        (void)close(file);
    }
    mark->maps[length] = '\0';
    return got == 0;
}

static void leaktrack_mark_all(struct leaktrack_mark *mark)
{
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
    uintptr_t thread = (uintptr_t)pthread_self();
    for (char *line = mark->maps; *line != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0';
        leaktrack_mark_line(mark, line, stack);
        line = end + 1;
    }
    mark->of_libc = false;
    leaktrack_mark_root_but_books(mark, thread - LEAKTRACK_STATIC_BELOW_BYTES,
                                  thread + LEAKTRACK_STATIC_ABOVE_BYTES);
    leaktrack_mark_from_work(mark);
}

/* ---------------------------------------------------------------- the result */
static void leaktrack_gather(struct leaktrack_mark *mark)
{
    for (size_t i = 0; i < leaktrack_books.slots; i++) {
        if (leaktrack_books.blocks[i].address > 1) {
            mark->blocks[mark->count++] = leaktrack_books.blocks[i];
        }
    }
    leaktrack_sort(mark->blocks, mark->count);
}

static void leaktrack_sum_up(const struct leaktrack_mark *mark)
{
    for (size_t i = 0; i < mark->count; i++) {
        const struct leaktrack_block *block = &mark->blocks[i];
        if (!mark->reached[i] && block->birth > leaktrack_books.inherited) {
            leaktrack_books.sites[block->site].leaked_blocks++;
            leaktrack_books.sites[block->site].leaked_bytes += block->bytes;
        }
    }
}

/* Maps one region for all that marking needs, with the most aligned arrays first. */
static bool leaktrack_prepare(struct leaktrack_mark *mark, size_t blocks)
{
    size_t blocks_bytes = blocks * sizeof(*mark->blocks), work_bytes = blocks * sizeof(*mark->work);
    mark->mapped_bytes =
        blocks_bytes + work_bytes + 2 * LEAKTRACK_WINDOW_BYTES + LEAKTRACK_MAPS_BYTES + blocks;
    unsigned char *memory = os_map(mark->mapped_bytes);
    if (memory == NULL) {
        return false;
    }
    mark->blocks = (struct leaktrack_block *)(void *)memory;
    mark->work = (size_t *)(void *)(memory + blocks_bytes);
    mark->window = (uintptr_t *)(void *)(memory + blocks_bytes + work_bytes);
    mark->pages = mark->window + LEAKTRACK_WINDOW_BYTES / sizeof(*mark->window);
    mark->maps = (char *)mark->pages + LEAKTRACK_WINDOW_BYTES;
    mark->reached = (unsigned char *)mark->maps + LEAKTRACK_MAPS_BYTES;
    return true;
}

bool leaktrack_scan(void)
{
    struct leaktrack_mark mark = {.count = 0};
    if (leaktrack_books.live_blocks == 0) {
        return true;
    }
    if (!leaktrack_prepare(&mark, leaktrack_books.live_blocks)) {
        return false;
    }
    leaktrack_gather(&mark);
    mark.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    mark.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool judged = mark.memory >= 0 && leaktrack_read_maps(&mark);
    if (judged) {
        leaktrack_mark_all(&mark);
        leaktrack_sum_up(&mark);
    }
    if (mark.memory >= 0) {
        (void)close(mark.memory);
    }
    if (mark.pagemap >= 0) {
        (void)close(mark.pagemap);
    }
    os_unmap(mark.blocks, mark.mapped_bytes);
    return judged;
}
