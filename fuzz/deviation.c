#include "fuzz/deviation.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/asan.h"
#include "fuzz/history.h"
#include "fuzz/oracle.h"

enum { DEVIATION_FRAMES = 24, DEVIATION_TEXT_BYTES = 256, DEVIATION_CRASHES_KEPT = 3 };

static struct fuzz_deviation *deviation_table; /* NULL: no campaign */
static enum fuzz_profile deviation_profile = FUZZ_PROFILE_GLIBC;
static const char *deviation_findings;
static const char *deviation_skip;
static const char *deviation_only;
static volatile sig_atomic_t deviation_failing;
const struct fuzz_promise *fuzz_promise_instead;

_Thread_local struct fuzz_under_way fuzz_under_way;
static struct fuzz_under_way deviation_latest;
struct fuzz_under_way *fuzz_under_way_latest = &deviation_latest;

/* ---------------------------------------------------------------- settings */
static const char *deviation_setting(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Runs before main, so that all later forks share one mapping. */
__attribute__((constructor)) static void deviation_open(void)
{
    const char *path = deviation_setting("HEAPMILL_FUZZ_DEVIATIONS");
    const char *profile = deviation_setting("HEAPMILL_FUZZ_PROFILE");
    deviation_findings = deviation_setting("HEAPMILL_FUZZ_FINDINGS");
    deviation_skip = deviation_setting("HEAPMILL_FUZZ_SKIP");
    deviation_only = deviation_setting("HEAPMILL_FUZZ_ONLY");
    if (profile != NULL) {
        deviation_profile = strcmp(profile, "c") == 0       ? FUZZ_PROFILE_C
                            : strcmp(profile, "posix") == 0 ? FUZZ_PROFILE_POSIX
                                                            : FUZZ_PROFILE_GLIBC;
    }
    if (path == NULL) {
        return;
    }
    size_t bytes = sizeof(*deviation_table) * FUZZ_DEVIATIONS_MAX;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    void *mapped = MAP_FAILED;
    if (file >= 0 && ftruncate(file, (off_t)bytes) == 0) {
        mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (mapped == MAP_FAILED) {
        perror("heapmill-fuzz: HEAPMILL_FUZZ_DEVIATIONS: name a file that can be written");
        exit(3);
    }
    (void)close(file);
    deviation_table = mapped;
}

bool fuzz_profile_holds(enum fuzz_profile profile)
{
    return profile <= deviation_profile;
}

/* Is the key in the list, or a prefix of it that ends before a colon? */
static bool deviation_listed(const char *list, const char *key)
{
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length > 0 && strncmp(at, key, length) == 0 &&
            (key[length] == '\0' || key[length] == ':')) {
            return true;
        }
        at += length + (at[length] == ',');
    }
    return false;
}

static bool deviation_wanted(const struct fuzz_promise *promise, const char *key)
{
    return fuzz_profile_holds(promise->profile) && !deviation_listed(deviation_skip, key) &&
           (deviation_only == NULL || deviation_listed(deviation_only, key));
}

/* ---------------------------------------------------------------- the table */
static struct fuzz_deviation *deviation_find(const char *key)
{
    for (size_t i = 0; i < FUZZ_DEVIATIONS_MAX; i++) {
        struct fuzz_deviation *each = &deviation_table[i];
        uint32_t state = atomic_load(&each->state);
        if (state == 0) {
            return NULL;
        }
        if (state == 2 && strcmp(each->key, key) == 0) {
            return each;
        }
    }
    return NULL;
}

/* Claims an entry for the key. *fresh: the key is new. NULL: the table is full. */
static struct fuzz_deviation *deviation_claim(const char *key, bool *fresh)
{
    struct fuzz_deviation *known = deviation_find(key);
    *fresh = known == NULL;
    for (size_t i = 0; known == NULL && i < FUZZ_DEVIATIONS_MAX; i++) {
        uint32_t none = 0;
        if (atomic_compare_exchange_strong(&deviation_table[i].state, &none, 1)) {
            known = &deviation_table[i];
            (void)snprintf(known->key, sizeof(known->key), "%s", key);
        }
    }
    return known;
}

uint64_t fuzz_deviation_count(const char *oracle, const char *call, const char *class)
{
    char key[FUZZ_DEVIATION_KEY_BYTES];
    if (deviation_table == NULL || atomic_load(&deviation_table[0].state) == 0) {
        return 0;
    }
    (void)snprintf(key, sizeof(key), "%s:%s:%s", oracle, call, class);
    const struct fuzz_deviation *known = deviation_find(key);
    return known != NULL ? atomic_load(&known->count) : 0;
}

/* ---------------------------------------------------------------- reporting and recording */
static void deviation_write(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void deviation_keep_input(const char *key, uint64_t count)
{
    char path[4096];
    if (deviation_findings == NULL) {
        return;
    }
    int length = snprintf(path, sizeof(path), "%s/", deviation_findings);
    for (const char *from = key; *from != '\0' && length + 8 < (int)sizeof(path); from++) {
        path[length++] = *from == ':' ? '.' : *from;
    }
    path[length] = '\0';
    if (count > 1) {
        (void)snprintf(path + length, sizeof(path) - (size_t)length, "~%d", (int)count);
    }
    (void)fuzz_history_write(path);
}

/* Records a deviation in the campaign's table. Different crashes may share a key, so a few inputs
 * are kept. */
static void deviation_record(const struct fuzz_promise *promise, const char *key, const char *text,
                             unsigned kept)
{
    bool fresh;
    struct fuzz_deviation *record = deviation_claim(key, &fresh);
    if (record == NULL) {
        return;
    }
    uint64_t count = atomic_fetch_add(&record->count, 1) + 1;
    if (fresh) {
        char line[1024];
        static const char *const severities[] = {"manners", "results", "memory"};
        record->severity = promise->severity;
        (void)snprintf(record->text, sizeof(record->text), "%s", text);
        (void)snprintf(record->source, sizeof(record->source), "%s", promise->source);
        atomic_store(&record->state, 2);
        (void)snprintf(line, sizeof(line), "heapmill-fuzz: DEVIATION %s %s: %s\n",
                       severities[promise->severity], key, text);
        deviation_write(line);
    }
    if (count <= kept) {
        deviation_keep_input(key, count);
    }
}

void fuzz_deviate(const struct fuzz_promise *promise, const char *call, const char *class,
                  const char *format, ...)
{
    char key[FUZZ_DEVIATION_KEY_BYTES];
    char text[DEVIATION_TEXT_BYTES];
    va_list arguments;
    promise = promise->fatal && fuzz_promise_instead != NULL ? fuzz_promise_instead : promise;
    (void)snprintf(key, sizeof(key), "%s:%s:%s", promise->oracle, call, class);
    bool wanted = deviation_wanted(promise, key);
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (wanted && deviation_table != NULL) {
        deviation_record(promise, key, text, 1);
    } else if (wanted) {
        deviation_failing = 1;
        fuzz_fail(promise->oracle, "%s, %s: %s [%s]", call, class, text, promise->source);
    }
    if (promise->fatal && deviation_table != NULL) {
        _exit(FUZZ_DEVIATION_EXIT);
    }
}

/* ---------------------------------------------------------------- crashes and hangs */
static const struct fuzz_promise *watch_crash;
static const struct fuzz_promise *watch_hang;
static const int watch_signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { WATCH_SIGNALS = sizeof(watch_signals) / sizeof(watch_signals[0]) };
static struct sigaction watch_before[WATCH_SIGNALS];
static volatile sig_atomic_t watch_progress;
static volatile sig_atomic_t watch_ticks;
static pid_t watch_owner;

/* Prints frames as sanitizers do: "    #0 0x55… in FUNCTION (/path/lib.so+0x1234)". */
static void watch_say_frames(void)
{
    void *frames[DEVIATION_FRAMES];
    char line[1024];
    int count = backtrace(frames, DEVIATION_FRAMES);
    for (int i = 0; i < count; i++) {
        Dl_info place = {.dli_fname = NULL};
        if (dladdr(frames[i], &place) == 0 || place.dli_fname == NULL) {
            continue;
        }
        (void)snprintf(line, sizeof(line), "    #%d %p in %s (%s+0x%zx)\n", i, frames[i],
                       place.dli_sname != NULL ? place.dli_sname : "??", place.dli_fname,
                       (size_t)((uintptr_t)frames[i] - (uintptr_t)place.dli_fbase));
        deviation_write(line);
    }
}

/* Reports the crash or the hang as an oracle's finding, and keeps its input. In a campaign the
 * process ends; otherwise the engine's own handler is called next. */
static void watch_tell(const struct fuzz_promise *promise, const char *text)
{
    char key[FUZZ_DEVIATION_KEY_BYTES];
    char line[512];
    struct fuzz_under_way way =
        fuzz_under_way.call != NULL ? fuzz_under_way : *fuzz_under_way_latest;
    const char *call = way.call != NULL ? way.call : "harness";
    const char *class = way.class != NULL ? way.class : "any";
    promise = fuzz_promise_instead != NULL ? fuzz_promise_instead : promise;
    (void)snprintf(key, sizeof(key), "%s:%s:%s", promise->oracle, call, class);
    deviation_failing = 1;
    if (deviation_table != NULL) {
        if (deviation_wanted(promise, key)) {
            deviation_record(promise, key, text, DEVIATION_CRASHES_KEPT);
        }
        _exit(FUZZ_DEVIATION_EXIT);
    }
    (void)snprintf(line, sizeof(line), "heapmill-fuzz: ORACLE %s: %s, %s: %s (operation %llu)\n",
                   promise->oracle, call, class, text, (unsigned long long)fuzz_operation);
    deviation_write(line);
    watch_say_frames();
}

static void watch_on_signal(int number, siginfo_t *info, void *context)
{
    char text[64];
    (void)info;
    (void)context;
    if (deviation_failing == 0) {
        (void)snprintf(text, sizeof(text), "signal %d", number);
        watch_tell(watch_crash, text);
    }
    if (deviation_table != NULL) {
        _exit(FUZZ_DEVIATION_EXIT); /* it crashed again during the report */
    }
    for (size_t i = 0; i < WATCH_SIGNALS; i++) {
        if (watch_signals[i] == number) {
            (void)sigaction(number, &watch_before[i], NULL);
        }
    }
    (void)raise(number);
}

static void watch_on_tick(int number)
{
    (void)number;
    if (getpid() != watch_owner) {
        return;
    }
    watch_ticks = watch_progress != 0 ? 0 : watch_ticks + 1;
    watch_progress = 0;
    if (watch_ticks > FUZZ_HANG_TICKS && deviation_failing == 0) {
        watch_tell(watch_hang, "no end is to be seen");
        (void)signal(SIGABRT, SIG_DFL);
        if (fuzz_on_failure != NULL) {
            fuzz_on_failure();
        }
        abort();
    }
}

void fuzz_watch_children(void)
{
    void *shared = mmap(NULL, sizeof(*fuzz_under_way_latest), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fuzz_under_way_latest = shared != MAP_FAILED ? shared : fuzz_under_way_latest;
}

bool fuzz_watch_exited(int status)
{
    static const struct fuzz_promise exits = {"exit", FUZZ_MEMORY, FUZZ_PROFILE_C, false,
                                              "C17 7.22.3: every call was a correct one"};
    const char *call = fuzz_under_way_latest->call;
    const char *class = fuzz_under_way_latest->class;
    if (deviation_table == NULL || call == NULL) {
        return false;
    }
    fuzz_deviate(&exits, call, class != NULL ? class : "any", "the process ends with status %d",
                 status);
    return true;
}

void fuzz_progress(void)
{
    watch_progress = 1;
}

void fuzz_watch_thread(void *stack, size_t bytes)
{
#ifdef FUZZ_ASAN
    (void)stack; /* it insists on its own stack */
    (void)bytes;
#else
    const stack_t own = {.ss_sp = stack, .ss_size = bytes};
    (void)sigaltstack(&own, NULL);
#endif
}

/* Starts the ticks, with a signal of their own, since SIGALRM is libFuzzer's. Ticks that come while
 * the process does not run count once, so that a loaded machine does not look like a hang. */
static void watch_begin_ticks(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3};
    const struct itimerspec every = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
    struct sigaction action = {.sa_handler = watch_on_tick, .sa_flags = SA_ONSTACK | SA_RESTART};
    timer_t timer;
    watch_owner = getpid();
    watch_ticks = 0;
    (void)sigaction(SIGRTMIN + 3, &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
        (void)timer_settime(timer, 0, &every, NULL);
    }
}

void fuzz_watch_begin(const struct fuzz_promise *crash, const struct fuzz_promise *hang)
{
    static char stack[1 << 16];
    if (watch_owner == getpid()) {
        return;
    }
    bool first = watch_crash == NULL;
    watch_crash = crash;
    watch_hang = hang;
    watch_begin_ticks();
#ifndef FUZZ_ASAN
    void *frame;
    (void)backtrace(&frame, 1); /* the first call loads a library */
    fuzz_watch_thread(stack, sizeof(stack));
    struct sigaction action = {.sa_sigaction = watch_on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (size_t i = 0; first && i < WATCH_SIGNALS; i++) {
        (void)sigaction(watch_signals[i], &action, &watch_before[i]);
    }
#else
    (void)stack;
    (void)first;
    (void)watch_on_signal;
#endif
}
