/* heapmill-mutate: lists a tree's automatic mutants, or writes one. scripts/mutants runs it. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "fuzz/mutants/mutants.h"

enum { MUTATE_EXIT_USAGE = 2, MUTATE_EXIT_ENVIRONMENT = 3, MUTATE_FILE_BYTES_MAX = 1 << 20 };

static const char mutate_usage[] =
    "usage: heapmill-mutate list FILE…           every mutant, as FILE:LINE:COLUMN:KIND\n"
    "       heapmill-mutate shuffle SEED FILE…   the same in an order drawn with the seed: the\n"
    "                                            first N are a sample of N\n"
    "       heapmill-mutate apply MUTANT         the mutated file, on the standard output\n"
    "Run it in the root of the source tree.\n";

/* The file's text, which the caller frees; NULL after a message. */
static char *mutate_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = file == NULL ? NULL : calloc(MUTATE_FILE_BYTES_MAX + 1, 1);
    if (text != NULL) {
        size_t size = fread(text, 1, MUTATE_FILE_BYTES_MAX, file);
        if (ferror(file) != 0 || size == MUTATE_FILE_BYTES_MAX) {
            free(text);
            text = NULL;
            errno = size == MUTATE_FILE_BYTES_MAX ? EFBIG : errno;
        }
    }
    if (text == NULL) {
        (void)fprintf(stderr, "heapmill-mutate: %s: %s\n", path, strerror(errno));
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return text;
}

/* A text and its mutants. */
struct mutate_file {
    const char *path;
    char *text;
    struct mutant_list mutants;
};

static void mutate_close(struct mutate_file *file)
{
    mutant_list_free(&file->mutants);
    free(file->text);
}

static bool mutate_open(struct mutate_file *file, const char *path)
{
    struct token_list tokens;
    *file = (struct mutate_file){.path = path, .text = mutate_read(path)};
    if (file->text == NULL) {
        return false;
    }
    bool ok = token_list_read(&tokens, file->text);
    if (ok) {
        ok = mutant_list_make(&file->mutants, &tokens);
        token_list_free(&tokens);
    }
    if (!ok) {
        (void)fprintf(stderr, "heapmill-mutate: %s: memory is exhausted\n", path);
        mutate_close(file);
    }
    return ok;
}

static void mutate_print(const struct mutate_file *file, const struct mutant *mutant)
{
    (void)printf("%s:%zu:%zu:%s\n", file->path, mutant->line, mutant->column, mutant->kind);
}

/* Prints a mutant. The index counts through all files. */
static void mutate_print_at(const struct mutate_file *files, size_t index)
{
    while (index >= files->mutants.count) {
        index -= files->mutants.count;
        files++;
    }
    mutate_print(files, &files->mutants.mutants[index]);
}

/* Lists the mutants; seed NULL: in the order of the text. */
static int mutate_list(const uint64_t *seed, int count, char **paths)
{
    struct mutate_file *files = calloc((size_t)count + 1, sizeof(*files));
    size_t total = 0;
    int opened = 0;
    while (files != NULL && opened < count && mutate_open(&files[opened], paths[opened])) {
        total += files[opened++].mutants.count;
    }
    uint32_t *order = calloc(total + 1, sizeof(*order));
    bool ok = files != NULL && opened == count && order != NULL;
    if (ok) {
        for (size_t i = 0; i < total; i++) {
            order[i] = (uint32_t)i;
        }
        if (seed != NULL) {
            struct rng rng;
            rng_seed(&rng, *seed);
            rng_shuffle_u32(&rng, order, total);
        }
        for (size_t i = 0; i < total; i++) {
            mutate_print_at(files, order[i]);
        }
    }
    for (int i = 0; i < opened; i++) {
        mutate_close(&files[i]);
    }
    free(order);
    free(files);
    return ok ? 0 : MUTATE_EXIT_ENVIRONMENT;
}

static int mutate_apply(const char *name)
{
    char path[4096];
    struct mutate_file file;
    const char *colon = strchr(name, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - name);
    if (length == 0 || length >= sizeof(path)) {
        (void)fprintf(stderr, "heapmill-mutate: \"%s\" is no FILE:LINE:COLUMN:KIND\n", name);
        return MUTATE_EXIT_USAGE;
    }
    memcpy(path, name, length);
    path[length] = '\0';
    if (!mutate_open(&file, path)) {
        return MUTATE_EXIT_ENVIRONMENT;
    }
    int result = MUTATE_EXIT_USAGE;
    for (size_t i = 0; i < file.mutants.count && result == MUTATE_EXIT_USAGE; i++) {
        const struct mutant *mutant = &file.mutants.mutants[i];
        char place[128];
        (void)snprintf(place, sizeof(place), "%zu:%zu:%s", mutant->line, mutant->column,
                       mutant->kind);
        if (strcmp(place, colon + 1) == 0) {
            char *text = mutant_apply(mutant, file.text);
            result = text != NULL && fputs(text, stdout) >= 0 ? 0 : MUTATE_EXIT_ENVIRONMENT;
            free(text);
        }
    }
    if (result == MUTATE_EXIT_USAGE) {
        (void)fprintf(stderr, "heapmill-mutate: no such mutant: %s (see heapmill-mutate list %s)\n",
                      name, path);
    }
    mutate_close(&file);
    return result;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "--help") == 0) {
        (void)fputs(mutate_usage, stdout);
        return 0;
    }
    if (strcmp(verb, "list") == 0 && argc > 2) {
        return mutate_list(NULL, argc - 2, argv + 2);
    }
    if (strcmp(verb, "shuffle") == 0 && argc > 3) {
        char *end;
        errno = 0;
        uint64_t seed = strtoull(argv[2], &end, 10);
        if (*argv[2] != '\0' && *end == '\0' && errno == 0) {
            return mutate_list(&seed, argc - 3, argv + 3);
        }
    }
    if (strcmp(verb, "apply") == 0 && argc == 3) {
        return mutate_apply(argv[2]);
    }
    (void)fputs(mutate_usage, stderr);
    return MUTATE_EXIT_USAGE;
}
