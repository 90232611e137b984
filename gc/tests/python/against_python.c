/* Random programs over gc/ and in the installed python3: their logs must be the same to the letter.
 *
 *   gc-against-python [--programs N] [--seed S] [--python PROGRAM] [--show SEED] HARNESS
 *
 * HARNESS is harness.py. The programs go to python3 in batches. The first program whose logs differ
 * is printed with both, and the seed that makes it. 0: all agree; 1: one does not; 77: no python3.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gc/tests/python/order.h"
#include "gc/tests/python/run.h"

enum { AGAINST_BATCH = 250, AGAINST_SKIPPED = 77 };

static struct {
    uint64_t programs;
    uint64_t seed;
    const char *python;
    const char *harness;
    char directory[64]; /* of the scratch files */
    unsigned features;
    struct heap heap;
} against = {.programs = 100, .seed = 1, .python = "python3"};

/* ---------------------------------------------------------------- python3 */
static FILE *against_open(const char *argument)
{
    static char command[4096];
    /* A program that does not end is none that a machine should suffer from. */
    snprintf(command, sizeof(command),
             "ulimit -v 1000000; ulimit -t 300; exec '%s' -I -S '%s' '%s'", against.python,
             against.harness, argument);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) {
        perror("gc-against-python: popen");
        exit(3);
    }
    return pipe;
}

/* What is left out is printed. false: there is no python3. */
static bool against_ask_features(void)
{
    static const struct {
        const char *name;
        unsigned feature;
    } known[] = {{"legacy", PROGRAM_LEGACY},
                 {"generations", PROGRAM_GENERATIONS},
                 {"automatic", PROGRAM_AUTOMATIC}};
    char line[256];
    FILE *pipe = against_open("--features");
    while (fgets(line, sizeof(line), pipe) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        bool found = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (strcmp(line, known[i].name) == 0) {
                against.features |= known[i].feature;
                found = true;
            }
        }
        if (!found) {
            printf("left out: %s\n", line);
        }
    }
    return pclose(pipe) == 0;
}

/* ---------------------------------------------------------------- a batch */
static void against_path(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", against.directory, name);
}

static FILE *against_create(char *path, size_t size, const char *name)
{
    against_path(path, size, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(3);
    }
    return file;
}

static void against_make(struct program *program, char *name, size_t size, uint64_t seed)
{
    program_make(program, seed, against.features);
    snprintf(name, size, "p%" PRIu64 "%s", seed, program->counted ? "_counted" : "");
}

/* Python's log of a whole batch, to be read. */
static FILE *against_run_python(uint64_t first, uint64_t count)
{
    static char path[128];
    struct program program;
    char name[64];
    FILE *file = against_create(path, sizeof(path), "programs.py");
    for (uint64_t i = 0; i < count; i++) {
        against_make(&program, name, sizeof(name), first + i);
        program_print(&program, name, file);
    }
    fclose(file);
    return against_open(path);
}

/* gc/'s log of one program, with its name before it; the caller frees it. */
static char *against_run(const struct program *program, const char *name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%s:\n", name);
    uint64_t wrong =
        run_program(program, against.features, &against.heap, &gc_policy_cpython_order, out);
    if (wrong != 0) {
        fprintf(out, "  %" PRIu64 " objects or invariants are wrong at the end\n", wrong);
    }
    fclose(out);
    return text;
}

static void against_show(const struct program *program, const char *name, const char *ours,
                         const char *theirs)
{
    program_print(program, name, stdout);
    printf("\ngc/ logs:\n%s\npython logs, as far as it is the same and one line more:\n%s\n", ours,
           theirs);
}

/* Whether python's lines are those of text. Prints both when they are not. */
static bool against_compare(const struct program *program, const char *name, const char *text,
                            FILE *pipe)
{
    static char theirs[1 << 20];
    char line[1024];
    size_t length = 0;
    const char *at = text;
    while (*at != '\0') {
        if (fgets(line, sizeof(line), pipe) == NULL) {
            snprintf(line, sizeof(line), "(nothing)\n");
        }
        length += (size_t)snprintf(theirs + length, sizeof(theirs) - length, "%s", line);
        if (strncmp(at, line, strlen(line)) != 0) {
            against_show(program, name, text, theirs);
            return false;
        }
        at += strlen(line);
    }
    return true;
}

static bool against_run_batch(uint64_t first, uint64_t count)
{
    bool same = true;
    FILE *pipe = against_run_python(first, count);
    for (uint64_t i = 0; same && i < count; i++) {
        struct program program;
        char name[64];
        against_make(&program, name, sizeof(name), first + i);
        char *text = against_run(&program, name);
        same = against_compare(&program, name, text, pipe);
        free(text);
    }
    char line[1024];
    if (same && fgets(line, sizeof(line), pipe) != NULL) {
        printf("python3 logs more than gc/ does: %s", line);
        same = false;
    }
    int status = pclose(pipe);
    return same && status == 0;
}

/* ---------------------------------------------------------------- the program */
static void against_parse(int argc, char **argv)
{
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--programs") == 0) {
            against.programs = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            against.seed = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--python") == 0) {
            against.python = argv[i + 1];
        } else {
            i = argc;
        }
    }
    if (i + 1 != argc) {
        fprintf(stderr, "usage: %s [--programs N] [--seed S] [--python PROGRAM] HARNESS\n",
                argv[0]);
        exit(2);
    }
    against.harness = argv[i];
}

int main(int argc, char **argv)
{
    static const struct heap_options options;
    against_parse(argc, argv);
    if (!against_ask_features()) {
        printf("SKIPPED: no %s that runs %s\n", against.python, against.harness);
        return AGAINST_SKIPPED;
    }
    snprintf(against.directory, sizeof(against.directory), "/tmp/against-python.XXXXXX");
    if (mkdtemp(against.directory) == NULL || heap_open(&against.heap, &options, NULL) != 0) {
        perror("gc-against-python");
        return 3;
    }
    bool same = true;
    uint64_t done = 0;
    for (; same && done < against.programs; done += AGAINST_BATCH) {
        uint64_t left = against.programs - done;
        same = against_run_batch(against.seed + done, left < AGAINST_BATCH ? left : AGAINST_BATCH);
    }
    char path[128];
    against_path(path, sizeof(path), "programs.py");
    (void)unlink(path);
    (void)rmdir(against.directory);
    heap_close(&against.heap);
    if (same) {
        printf("%" PRIu64 " programs from seed %" PRIu64 " on: the logs agree in every letter\n",
               against.programs, against.seed);
    }
    return same ? 0 : 1;
}
