#include "fuzz/canary.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The id of the bug that is planted in this build. fuzz/CMakeLists.txt compiles one such constant
 * into each binary. */
extern const char fuzz_bug_id[];

static struct fuzz_counters oracle_own_counters;
struct fuzz_counters *fuzz_counters = &oracle_own_counters;
uint64_t fuzz_operation;
void (*fuzz_on_failure)(void);
bool fuzz_is_careful;

void fuzz_say_bug(void)
{
    static bool said;
    char line[128];
    if (said || fuzz_bug_id[0] == '\0' || fuzz_counters->bug_reached == 0) {
        return;
    }
    said = true;
    int length = snprintf(line, sizeof(line), "heapmill-fuzz: BUG %s %s\n", fuzz_bug_id,
                          fuzz_counters->bug_triggered != 0 ? "triggered" : "reached");
    (void)!write(STDERR_FILENO, line, (size_t)length);
}

static void oracle_say_counts(void)
{
    fuzz_say_bug();
    if (getenv("HEAPMILL_FUZZ_COUNT") != NULL) {
        (void)fprintf(stderr,
                      "heapmill-fuzz: COUNT executions %" PRIu64 " operations %" PRIu64 "\n",
                      fuzz_counters->executions, fuzz_counters->operations);
    }
}

/* Runs before main, so that engines that fork later share one mapping. */
__attribute__((constructor)) static void oracle_open_counters(void)
{
    (void)atexit(oracle_say_counts);
    const char *path = getenv("HEAPMILL_FUZZ_COUNTERS");
    if (path == NULL || *path == '\0') {
        return;
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    void *mapped = MAP_FAILED;
    if (file >= 0 && ftruncate(file, (off_t)sizeof(*fuzz_counters)) == 0) {
        mapped = mmap(NULL, sizeof(*fuzz_counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (mapped == MAP_FAILED) {
        perror("heapmill-fuzz: HEAPMILL_FUZZ_COUNTERS: name a file that can be written");
    } else {
        fuzz_counters = mapped;
    }
    if (file >= 0) {
        (void)close(file);
    }
}

void fuzz_begin(void)
{
    fuzz_operation = 0;
    fuzz_counters->executions++;
    fuzz_is_careful = getenv("HEAPMILL_FUZZ_CAREFUL") != NULL;
}

void fuzz_fail(const char *oracle, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "heapmill-fuzz: ORACLE %s: %s (operation %" PRIu64 ")\n", oracle, text,
                  fuzz_operation);
    if (fuzz_is_careful) {
        fuzz_careful_say();
    }
    fuzz_say_bug();
    if (fuzz_on_failure != NULL) {
        fuzz_on_failure();
    }
    abort();
}
