/* The engine `random`: main of the binaries of an ordinary build. It replays and prints inputs, and
 * is the blind baseline, which draws inputs in the target's format without any feedback. */
#include "fuzz/engines/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/deviation.h"
#include "fuzz/history.h"
#include "fuzz/oracle.h"

enum { ENGINE_INPUT_BYTES_MAX = 1 << 20, ENGINE_EXIT_USAGE = 2, ENGINE_EXIT_ENVIRONMENT = 3 };

static const char engine_usage[] =
    "usage: %s FILE|DIR…                replay inputs (a directory: its files, by name)\n"
    "       %s --random [options]       blind random inputs in the target's format\n"
    "       %s --print FILE             the decoded input\n"
    "       %s --describe               what this binary is, as JSON\n"
    "       %s --reduce INPUT OUTPUT SECONDS  a smaller input that fails in the same way\n"
    "options of --random:\n"
    "  --seed S          the run's seed (default 1); equal seeds give equal inputs\n"
    "  --runs N          stop after N inputs (default 1000, without --time)\n"
    "  --time SECONDS    stop after so much wall time\n"
    "  --budget N        stop after N operations of all inputs together\n"
    "  --operations N    operations of an input (default: 16 to 1024, drawn)\n"
    "  --artifacts DIR   save the input of a finding there (default: here)\n"
    "  --json            the figures as one line of JSON on standard output\n"
    "A finding ends in a line \"heapmill-fuzz: ORACLE …\" and SIGABRT.\n";

static struct {
    uint64_t seed;
    uint64_t runs;
    double seconds;
    uint64_t budget;
    size_t operations;
    const char *artifacts;
    bool json;
} engine_options = {.seed = 1, .artifacts = "."};

static uint8_t engine_input[ENGINE_INPUT_BYTES_MAX];
static size_t engine_input_size;
static char engine_artifact[4096];
static bool engine_saves;

/* ---------------------------------------------------------------- findings */
/* FNV-1a, for the artifact's name. */
static uint64_t engine_hash(const uint8_t *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 0x100000001b3u;
    }
    return hash;
}

/* Writes the current input. It runs in a signal handler, so it uses only system calls, except for
 * the name. */
static void engine_save(void)
{
    static const char said[] = "heapmill-fuzz: input saved as ";
    (void)snprintf(engine_artifact, sizeof(engine_artifact), "%s/crash-%016" PRIx64,
                   engine_options.artifacts, engine_hash(engine_input, engine_input_size));
    const uint8_t *bytes = engine_input;
    size_t size = engine_input_size;
    if (fuzz_engine_target->outlives_input) {
        fuzz_history_get(&bytes, &size);
    }
    int file = open(engine_artifact, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    ssize_t written = file < 0 ? -1 : write(file, bytes, size);
    if (written == (ssize_t)size) {
        written += write(STDERR_FILENO, said, sizeof(said) - 1);
        written += write(STDERR_FILENO, engine_artifact, strlen(engine_artifact));
        written += write(STDERR_FILENO, "\n", 1);
    }
    (void)written;
}

static void engine_on_death(void)
{
    fuzz_say_bug();
    if (engine_saves) {
        engine_save();
    }
}

static void engine_on_signal(int number)
{
    engine_on_death();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* Sanitizers end a process in their own way. The symbol is weak, as most builds have no
 * sanitizer. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* saves: the current input was drawn, and is lost if it is not saved when the process dies. */
static void engine_watch(bool saves)
{
    engine_saves = saves;
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(engine_on_death);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (__sanitizer_set_death_callback == NULL || numbers[i] == SIGABRT) {
            (void)signal(numbers[i], engine_on_signal);
        }
    }
}

/* ---------------------------------------------------------------- random */
/* A library's behaviour depends on what it did before. After this many inputs a child starts anew
 * with an unused library, so that its findings can be replayed. */
enum { ENGINE_BATCH_INPUTS = 48 };

static double engine_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The CPU time of this process, or of its ended children. */
static double engine_cpu(int whose)
{
    struct rusage usage;
    (void)getrusage(whose, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void engine_report(uint64_t inputs, double wall)
{
    double cpu = engine_cpu(RUSAGE_SELF) + engine_cpu(RUSAGE_CHILDREN);
    uint64_t operations = fuzz_counters->operations;
    if (engine_options.json) {
        (void)printf("{\"target\":\"%s\",\"backend\":\"%s\",\"seed\":%" PRIu64
                     ",\"inputs\":%" PRIu64 ",\"operations\":%" PRIu64
                     ",\"cpu_s\":%.2f,\"wall_s\":%.2f}\n",
                     fuzz_engine_target->name, fuzz_engine_backend, engine_options.seed, inputs,
                     operations, cpu, wall);
    }
    (void)fprintf(stderr,
                  "heapmill-fuzz: random: %" PRIu64 " inputs, %" PRIu64
                  " operations, %.2f s of CPU: %.0f inputs/s, %.0f operations/s\n",
                  inputs, operations, cpu, (double)inputs / cpu, (double)operations / cpu);
}

static bool engine_is_done(uint64_t run, double begin)
{
    bool unbounded = engine_options.seconds <= 0 && engine_options.budget == 0;
    uint64_t runs = engine_options.runs == 0 && unbounded ? 1000 : engine_options.runs;
    return (runs != 0 && run >= runs) ||
           (engine_options.budget != 0 && fuzz_counters->operations >= engine_options.budget) ||
           (engine_options.seconds > 0 && engine_now() - begin > engine_options.seconds);
}

static void engine_play_next(struct rng *rng)
{
    size_t operations = engine_options.operations;
    if (operations == 0) {
        operations = (size_t)16 << rng_below(rng, 7);
    }
    engine_input_size =
        fuzz_engine_target->generate(engine_input, sizeof(engine_input), operations, rng);
    (void)LLVMFuzzerTestOneInput(engine_input, engine_input_size);
}

/* Waits for a child. A finding ends this process as it ended the child, unless a campaign has
 * recorded it. */
static void engine_wait(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        engine_saves = false; /* the child has saved the input */
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    int code = WEXITSTATUS(status);
    bool known = code == 0 || code == FUZZ_DEVIATION_EXIT;
    if (!known && (code == ENGINE_EXIT_ENVIRONMENT || !fuzz_watch_exited(code))) {
        exit(code);
    }
}

/* Shares the counters with the children. */
static void engine_share_counters(void)
{
    void *shared = mmap(NULL, sizeof(*fuzz_counters), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (getenv("HEAPMILL_FUZZ_COUNTERS") == NULL && shared != MAP_FAILED) {
        fuzz_counters = shared;
    }
}

static uint64_t engine_random_batches(double begin)
{
    struct rng rng;
    uint64_t run = 0;
    engine_share_counters();
    fuzz_watch_children();
    for (uint64_t batch = 0; !engine_is_done(run, begin); batch++, run += ENGINE_BATCH_INPUTS) {
        fuzz_history_begin();
        pid_t child = fork();
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            rng_seed(&rng, engine_options.seed + batch * 0x9e3779b97f4a7c15u);
            for (uint64_t i = 0; i < ENGINE_BATCH_INPUTS && !engine_is_done(run + i, begin); i++) {
                engine_play_next(&rng);
            }
            _exit(0);
        }
        if (child < 0) {
            perror("heapmill-fuzz: fork");
            exit(ENGINE_EXIT_ENVIRONMENT);
        }
        engine_wait(child);
    }
    return run;
}

static int engine_random(void)
{
    struct rng rng;
    rng_seed(&rng, engine_options.seed);
    engine_watch(true);
    double begin = engine_now();
    uint64_t run = 0;
    if (fuzz_engine_target->outlives_input) {
        run = engine_random_batches(begin);
    } else {
        for (; !engine_is_done(run, begin); run++) {
            engine_play_next(&rng);
        }
    }
    engine_report(run, engine_now() - begin);
    return 0;
}

/* ---------------------------------------------------------------- files */
static bool engine_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "heapmill-fuzz: %s: %s\n", path, strerror(errno));
        return false;
    }
    engine_input_size = fread(engine_input, 1, sizeof(engine_input), file);
    bool ok = ferror(file) == 0;
    (void)fclose(file);
    return ok;
}

static int engine_replay(const char *path, size_t *count)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        (void)fprintf(stderr, "heapmill-fuzz: %s: %s\n", path, strerror(errno));
        return ENGINE_EXIT_ENVIRONMENT;
    }
    if (!S_ISDIR(status.st_mode)) {
        if (!engine_read(path)) {
            return ENGINE_EXIT_ENVIRONMENT;
        }
        if (getenv("HEAPMILL_FUZZ_VERBOSE") != NULL) {
            (void)fprintf(stderr, "heapmill-fuzz: replaying %s\n", path);
        }
        (void)LLVMFuzzerTestOneInput(engine_input, engine_input_size);
        ++*count;
        return 0;
    }
    struct dirent **entries;
    int entry_count = scandir(path, &entries, NULL, alphasort);
    int result = entry_count < 0 ? ENGINE_EXIT_ENVIRONMENT : 0;
    for (int i = 0; i < entry_count; i++) {
        char inner[4096];
        (void)snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && result == 0) {
            result = engine_replay(inner, count);
        }
        free(entries[i]);
    }
    if (entry_count >= 0) {
        free(entries);
    }
    return result;
}

static int engine_replay_all(int count, char **paths)
{
    size_t inputs = 0;
    engine_watch(false);
    for (int i = 0; i < count; i++) {
        int result = engine_replay(paths[i], &inputs);
        if (result != 0) {
            return result;
        }
    }
    (void)fprintf(stderr, "heapmill-fuzz: %zu inputs replayed\n", inputs);
    return 0;
}

/* ---------------------------------------------------------------- instrumented libraries */
/* Functions that a library which was compiled for coverage calls when it is loaded. libFuzzer
 * defines them; here they do nothing. A sanitizer's own definitions take precedence. */
void __sanitizer_cov_8bit_counters_init(char *start, char *end) __attribute__((weak));
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *end) __attribute__((weak));

void __sanitizer_cov_8bit_counters_init(char *start, char *end)
{
    (void)start;
    (void)end;
}

void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *end)
{
    (void)start;
    (void)end;
}

/* ---------------------------------------------------------------- arguments */
static int engine_describe(void)
{
    (void)printf("{\"target\":\"%s\",\"backend\":\"%s\",\"bug\":\"%s\",\"engine\":\"%s\","
                 "\"format\":\"%s\",\"summary\":\"%s\"}\n",
                 fuzz_engine_target->name, fuzz_engine_backend, fuzz_bug_id, fuzz_built_engine,
                 fuzz_engine_target->format, fuzz_engine_target->summary);
    return 0;
}

static int engine_fail_usage(const char *program, const char *what)
{
    (void)fprintf(stderr, "heapmill-fuzz: %s\n", what);
    (void)fprintf(stderr, engine_usage, program, program, program, program, program);
    return ENGINE_EXIT_USAGE;
}

static bool engine_option(const char *name, const char *value)
{
    char *end = NULL;
    errno = 0;
    if (strcmp(name, "--artifacts") == 0) {
        engine_options.artifacts = value;
        return true;
    }
    if (strcmp(name, "--time") == 0) {
        engine_options.seconds = strtod(value, &end);
        return *end == '\0' && engine_options.seconds > 0;
    }
    uint64_t number = strtoull(value, &end, 10);
    bool known = true;
    if (strcmp(name, "--seed") == 0) {
        engine_options.seed = number;
    } else if (strcmp(name, "--runs") == 0) {
        engine_options.runs = number;
    } else if (strcmp(name, "--budget") == 0) {
        engine_options.budget = number;
    } else if (strcmp(name, "--operations") == 0) {
        engine_options.operations = (size_t)number;
    } else {
        known = false;
    }
    return known && *value != '\0' && *end == '\0' && errno == 0;
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerInitialize(&argc, &argv);
    if (argc < 2) {
        return engine_fail_usage(argv[0], "what is to be done?");
    }
    if (strcmp(argv[1], "--help") == 0) {
        (void)printf(engine_usage, argv[0], argv[0], argv[0], argv[0], argv[0]);
        return 0;
    }
    if (strcmp(argv[1], "--describe") == 0) {
        return engine_describe();
    }
    if (strcmp(argv[1], "--random") != 0) {
        return argv[1][0] == '-' ? engine_fail_usage(argv[0], "an unknown argument")
                                 : engine_replay_all(argc - 1, argv + 1);
    }
    for (int i = 2; i < argc; i += 2) {
        if (strcmp(argv[i], "--json") == 0) {
            engine_options.json = true;
            i--;
        } else if (i + 1 == argc || !engine_option(argv[i], argv[i + 1])) {
            return engine_fail_usage(argv[0], argv[i]);
        }
    }
    return engine_random();
}
