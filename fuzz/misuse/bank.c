/* heapmill-misuse: commits one misuse of the malloc that is in force, and looks what became of the
 * heap. Part of `heapmill misuse` (misuse.h), which preloads an allocator and judges the end.
 *
 *   heapmill-misuse --list     a line for each: NAME<tab>what it does
 *   heapmill-misuse NAME       0, whatever it found; or the allocator ends it
 *
 * To file descriptor 3 it writes a letter at each stage: b, the misuse begins; a, it is done; and
 * at the end s, the heap serves as before; c, somebody's block was changed, blocks overlap, or what
 * was freed can be read; n, not applicable, for want of a function. Built without optimisation: a
 * compiler may take a misuse for granted and leave it out. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BANK_CROWD = 256, /* neighbours that a misuse may hurt */
    BANK_TRAFFIC = 3000,
    BANK_LARGE = 300000,
    BANK_PAGE = 4096,
    BANK_STAGE_FD = 3,
};

static void bank_say(char stage)
{
    if (write(BANK_STAGE_FD, &stage, 1) != 1) {
        _exit(2);
    }
}

__attribute__((noreturn)) static void bank_end(char verdict)
{
    bank_say(verdict);
    _exit(0);
}

/* ---------------------------------------------------------------- blocks with known contents */
struct bank_crowd {
    size_t size;
    unsigned char *blocks[BANK_CROWD];
};

static unsigned char bank_fill(size_t i)
{
    return (unsigned char)(i * 37 + 11);
}

static void bank_gather(struct bank_crowd *crowd, size_t size)
{
    crowd->size = size;
    for (size_t i = 0; i < BANK_CROWD; i++) {
        crowd->blocks[i] = malloc(size);
        memset(crowd->blocks[i], bank_fill(i), size);
    }
}

static int bank_is_whole(const unsigned char *block, size_t size, unsigned char fill)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != fill) {
            return 0;
        }
    }
    return 1;
}

/* Frees all but `except`; were they as they had been left? */
static int bank_disperse(struct bank_crowd *crowd, size_t except)
{
    int whole = 1;
    for (size_t i = 0; i < BANK_CROWD; i++) {
        if (i != except) {
            whole = whole && bank_is_whole(crowd->blocks[i], crowd->size, bank_fill(i));
            free(crowd->blocks[i]);
        }
    }
    return whole;
}

/* Is the heap fit for use? Blocks of the size and of others come, keep their contents, and go. */
static int bank_serves(size_t size)
{
    static unsigned char *blocks[BANK_TRAFFIC];
    int whole = 1;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < BANK_TRAFFIC; i++) {
            size_t bytes = i % 4 == 3 ? 16 + i % 2000 : size < 8192 || i < 20 ? size : 64;
            blocks[i] = malloc(bytes);
            memset(blocks[i], bank_fill(i), bytes);
        }
        for (size_t i = 0; i < BANK_TRAFFIC; i++) {
            size_t bytes = i % 4 == 3 ? 16 + i % 2000 : size < 8192 || i < 20 ? size : 64;
            whole = whole && bank_is_whole(blocks[i], bytes, bank_fill(i));
        }
        for (size_t i = 0; i < BANK_TRAFFIC && whole; i++) {
            free(blocks[(i * 7) % BANK_TRAFFIC]);
        }
    }
    return whole;
}

__attribute__((noreturn)) static void bank_judge(int whole, size_t size)
{
    bank_say('a');
    bank_end(whole && bank_serves(size) ? 's' : 'c');
}

/* ---------------------------------------------------------------- frees that are none */
static void bank_none(void)
{
    struct bank_crowd crowd;
    bank_gather(&crowd, 48);
    bank_judge(bank_disperse(&crowd, BANK_CROWD), 48);
}

static void bank_double_free_near(void)
{
    unsigned char *block = malloc(48);
    bank_say('b');
    free(block);
    free(block);
    bank_judge(1, 48);
}

/* Others of its size were freed in between, and some were allocated. */
static void bank_double_free_far(void)
{
    struct bank_crowd crowd;
    bank_gather(&crowd, 48);
    unsigned char *block = crowd.blocks[100];
    free(block);
    int whole = bank_disperse(&crowd, 100);
    bank_say('b');
    free(block);
    bank_judge(whole, 48);
}

static void bank_double_free_large(void)
{
    unsigned char *block = malloc(BANK_LARGE);
    memset(block, 1, BANK_LARGE);
    bank_say('b');
    free(block);
    free(block);
    bank_judge(1, BANK_LARGE);
}

static void *bank_free_of(void *block)
{
    free(block);
    return NULL;
}

static void bank_double_free_threads(void)
{
    struct bank_crowd crowd;
    pthread_t thread;
    bank_gather(&crowd, 48);
    bank_say('b');
    (void)pthread_create(&thread, NULL, bank_free_of, crowd.blocks[100]);
    (void)pthread_join(thread, NULL);
    free(crowd.blocks[100]);
    bank_judge(bank_disperse(&crowd, 100), 48);
}

static void bank_free_interior(void)
{
    struct bank_crowd crowd;
    bank_gather(&crowd, 96);
    bank_say('b');
    free(crowd.blocks[100] + 32);
    bank_judge(bank_disperse(&crowd, BANK_CROWD), 96);
}

static void bank_free_stack(void)
{
    _Alignas(16) volatile unsigned char local[256];
    memset((void *)local, 0, sizeof(local));
    bank_say('b');
    free((void *)(local + 64));
    bank_judge(1, 48);
}

static void bank_free_foreign(void)
{
    unsigned char *pages =
        mmap(NULL, 16 * BANK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bank_say('b');
    free(pages + 4 * BANK_PAGE + 64);
    bank_judge(1, 48);
}

/* By the operator delete that is told a size. */
static void bank_wrong_size(void)
{
    void (*sized)(void *block, size_t size);
    *(void **)&sized = dlsym(RTLD_DEFAULT, "_ZdlPvm");
    if (sized == NULL) {
        bank_end('n');
    }
    struct bank_crowd crowd;
    bank_gather(&crowd, 200);
    bank_say('b');
    sized(crowd.blocks[100], 32);
    bank_judge(bank_disperse(&crowd, 100), 200);
}

/* ---------------------------------------------------------------- writes and reads */
/* Writes bytes at an offset from a block among others, and frees all. */
static void bank_overwrite(size_t size, long offset, size_t bytes)
{
    struct bank_crowd crowd;
    bank_gather(&crowd, size);
    bank_say('b');
    memset(crowd.blocks[100] + offset, 0xee, bytes);
    free(crowd.blocks[100]);
    bank_judge(bank_disperse(&crowd, 100), size);
}

static void bank_overflow_one(void)
{
    bank_overwrite(40, 40, 1);
}

static void bank_overflow_slack(void)
{
    bank_overwrite(33, 33, 1);
}

static void bank_overflow_word(void)
{
    bank_overwrite(64, 64, 16);
}

static void bank_overflow_page(void)
{
    bank_overwrite(BANK_LARGE, BANK_LARGE, BANK_PAGE);
}

static void bank_underflow(void)
{
    bank_overwrite(64, -16, 16);
}

static void bank_underflow_page(void)
{
    bank_overwrite(BANK_LARGE, -(long)BANK_PAGE, BANK_PAGE);
}

/* Is what the program freed still to be read, beyond the words that a list may need? */
static void bank_read_freed(void)
{
    struct bank_crowd crowd;
    bank_gather(&crowd, 128);
    volatile unsigned char *block = crowd.blocks[100];
    bank_say('b');
    free(crowd.blocks[100]);
    int exposed = block[64] == bank_fill(100) && block[100] == bank_fill(100);
    bank_judge(bank_disperse(&crowd, 100) && !exposed, 128);
}

static void bank_write_freed(void)
{
    struct bank_crowd crowd;
    bank_gather(&crowd, 64);
    unsigned char *block = crowd.blocks[100];
    free(block);
    bank_say('b');
    memset(block, 0x41, 32);
    bank_judge(bank_disperse(&crowd, 100), 64);
}

/* Whoever is given the block next is hurt. */
static void bank_write_reused(void)
{
    struct bank_crowd crowd;
    unsigned char *stale = malloc(64);
    free(stale);
    bank_gather(&crowd, 64);
    bank_say('b');
    memset(stale, 0x41, 64);
    bank_judge(bank_disperse(&crowd, BANK_CROWD), 64);
}

/* ---------------------------------------------------------------- the bank */
static const struct bank_misuse {
    const char *name;
    void (*commit)(void);
    const char *what;
} bank[] = {
    {"none", bank_none, "the control: nothing wrong is done"},
    {"double_free_near", bank_double_free_near, "a block is freed twice in a row"},
    {"double_free_far", bank_double_free_far, "a block is freed twice, 255 others in between"},
    {"double_free_large", bank_double_free_large, "a block of 300 000 bytes is freed twice"},
    {"double_free_threads", bank_double_free_threads, "another thread has freed the block"},
    {"free_interior", bank_free_interior, "a pointer into a block is freed"},
    {"free_stack", bank_free_stack, "a local variable is freed"},
    {"free_foreign", bank_free_foreign, "memory of mmap is freed"},
    {"wrong_size", bank_wrong_size, "200 bytes are deleted as 32"},
    {"overflow_one", bank_overflow_one, "1 byte beyond 40"},
    {"overflow_slack", bank_overflow_slack, "1 byte beyond 33: into what rounding left"},
    {"overflow_word", bank_overflow_word, "16 bytes beyond 64"},
    {"overflow_page", bank_overflow_page, "4096 bytes beyond 300 000"},
    {"underflow", bank_underflow, "16 bytes before a block"},
    {"underflow_page", bank_underflow_page, "4096 bytes before a block of 300 000"},
    {"read_freed", bank_read_freed, "a freed block is read"},
    {"write_freed", bank_write_freed, "a freed block is written to"},
    {"write_reused", bank_write_reused, "a freed block is written to that is another's by now"},
};
enum { BANK_COUNT = sizeof(bank) / sizeof(bank[0]) };

int main(int argc, char **argv)
{
    for (int i = 0; argc == 2 && i < BANK_COUNT; i++) {
        if (strcmp(argv[1], "--list") == 0) {
            (void)printf("%s\t%s\n", bank[i].name, bank[i].what);
        } else if (strcmp(argv[1], bank[i].name) == 0) {
            bank[i].commit();
        }
    }
    return argc == 2 && strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
