#include "run/layouts.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "common/rng.h"
#include "run/rounds.h"

enum { LAYOUTS_LEAST = 16, LAYOUTS_MOST = 64, LAYOUTS_ROUNDS_EACH = 3 };

static const double LAYOUTS_TIMEOUT_S = 120;

/* How a worker was linked. PROGRAM.link has the directory and then the words of the command, a line
 * each. */
struct recipe {
    struct text_list lines;
    struct timespec modified;
};

/* The files that the links of a worker are made from, and where they are. */
struct link {
    const struct registry *registry;
    const char *program;
    unsigned number;
    struct recipe recipe;
    char *object;  /* its object files and archives merged into one, without debug information */
    char *script;  /* the linker script, while the link is made */
    char *scratch; /* the link, until it is whole */
    char *path;
};

static char *layouts_path(const struct registry *registry, const char *program, const char *suffix)
{
    char *path = registry_program_path(registry, program);
    char *name = strrchr(path, '/');
    *name++ = '\0';
    char *made = text_format("%s/layouts/%s%s", path, name, suffix);
    free(path);
    return made;
}

static char *layouts_recipe_path(const struct registry *registry, const char *program)
{
    char *path = registry_program_path(registry, program);
    char *recipe = text_format("%s.link", path);
    free(path);
    return recipe;
}

bool layouts_known(const struct registry *registry, const char *program)
{
    char *path = layouts_recipe_path(registry, program);
    bool known = access(path, R_OK) == 0;
    free(path);
    return known;
}

unsigned layouts_for_rounds(uint64_t rounds)
{
    uint64_t wanted = rounds / LAYOUTS_ROUNDS_EACH;
    return wanted < LAYOUTS_LEAST  ? LAYOUTS_LEAST
           : wanted > LAYOUTS_MOST ? LAYOUTS_MOST
                                   : (unsigned)wanted;
}

unsigned layouts_draw(uint64_t seed, const char *cell, uint32_t round, unsigned count)
{
    uint32_t order[LAYOUTS_MOST];
    struct rng rng;
    count = count < 1 ? 1 : count > LAYOUTS_MOST ? LAYOUTS_MOST : count;
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    rng_seed(&rng, schedule_seed(seed, round / count, cell));
    rng_shuffle_u32(&rng, order, count);
    return order[round % count];
}

static enum status recipe_read(const struct registry *registry, const char *program,
                               struct recipe *recipe, struct error *error)
{
    char *path = layouts_recipe_path(registry, program);
    struct stat status;
    char *text = NULL;
    size_t size = 0;
    enum status outcome = file_read(path, &text, &size, error);
    if (outcome == STATUS_OK && stat(path, &status) != 0) {
        outcome = error_set(error, STATUS_IO, "%s: %m", path);
    }
    if (outcome == STATUS_OK) {
        text_split(&recipe->lines, text, '\n');
        recipe->modified = status.st_mtim;
    }
    if (outcome == STATUS_OK && recipe->lines.count < 3) {
        outcome = error_set(error, STATUS_UNSUPPORTED, "%s is no record of a link: build %s again",
                            path, program);
    }
    free(text);
    free(path);
    return outcome;
}

/* Tells whether the file at path was made from this build of the worker. Each made file gets the
 * time of the recipe, to the nanosecond. */
static bool link_is_current(const struct link *link, const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_mtim.tv_sec == link->recipe.modified.tv_sec &&
           status.st_mtim.tv_nsec == link->recipe.modified.tv_nsec;
}

/* Renames a finished file to its final name, so that another process never sees a part of it. */
static enum status link_keep(const struct link *link, const char *path, struct error *error)
{
    const struct timespec times[2] = {link->recipe.modified, link->recipe.modified};
    if (utimensat(AT_FDCWD, link->scratch, times, 0) != 0 || rename(link->scratch, path) != 0) {
        return error_set(error, STATUS_IO, "%s: %m", path);
    }
    return STATUS_OK;
}

static bool layouts_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* Tells whether the word of the command names an object file or an archive, which go into the
 * merged object. */
static bool recipe_is_input(const char *word)
{
    return layouts_ends_with(word, ".o") || layouts_ends_with(word, ".a");
}

/* What became of a linker's process. */
static enum status link_judge(const struct link *link, const struct process_result *result,
                              struct error *error)
{
    if (result->interrupted) {
        return error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    if (result->exit_code != 0 || result->signal != 0) {
        return error_set(error, STATUS_UNSUPPORTED, "%s could not be linked again: %.300s",
                         link->program, result->stderr_tail);
    }
    return STATUS_OK;
}

/* Runs a linker's command for each of the links, where its worker was linked, and keeps what each
 * has made as the file that `path` tells. Frees the commands. */
static enum status links_run(struct link *const *links, struct text_list *commands, size_t count,
                             char *(*path)(const struct link *), struct error *error)
{
    struct process_request *requests = text_grow(NULL, count + 1, sizeof(*requests));
    struct process_result *results = text_grow(NULL, count + 1, sizeof(*results));
    for (size_t i = 0; i < count; i++) {
        requests[i] = (struct process_request){.arguments = process_vector(&commands[i]),
                                               .directory = links[i]->recipe.lines.items[0],
                                               .timeout_s = LAYOUTS_TIMEOUT_S};
    }
    enum status status = process_run_all(requests, results, count, process_at_once(), error);
    if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s, which linked %s, is not here",
                           links[0]->recipe.lines.items[1], links[0]->program);
    }
    for (size_t i = 0; i < count; i++) {
        status = status == STATUS_OK ? link_judge(links[i], &results[i], error) : status;
        status = status == STATUS_OK ? link_keep(links[i], path(links[i]), error) : status;
        process_result_free(&results[i]);
        text_list_free(&commands[i]);
    }
    free(requests);
    free(results);
    return status;
}

/* Merges the worker's object files and archives once. That halves the time and the size of each
 * link. */
static void link_add_merge(const struct link *link, struct text_list *words)
{
    const struct text_list *lines = &link->recipe.lines;
    text_list_add(words, text_format("%s", lines->items[1]));
    text_list_add(words, text_format("-r"));
    text_list_add(words, text_format("-nostdlib"));
    text_list_add(words, text_format("-Wl,-S"));
    for (size_t i = 2; i < lines->count; i++) {
        if (recipe_is_input(lines->items[i])) {
            text_list_add(words, text_format("%s", lines->items[i]));
        }
    }
    text_list_add(words, text_format("-o"));
    text_list_add(words, text_format("%s", link->scratch));
}

static char *link_object(const struct link *link)
{
    return link->object;
}

static char *link_path(const struct link *link)
{
    return link->path;
}

/* The merged objects that are not there, one a program. */
static enum status links_merge(struct link *const *links, size_t count, struct error *error)
{
    struct link **merged = text_grow(NULL, count + 1, sizeof(struct link *));
    struct text_list *commands = text_grow(NULL, count + 1, sizeof(*commands));
    size_t merges = 0;
    for (size_t i = 0; i < count; i++) {
        bool wanted = !link_is_current(links[i], links[i]->object);
        for (size_t m = 0; m < merges && wanted; m++) {
            wanted = strcmp(merged[m]->program, links[i]->program) != 0;
        }
        if (wanted) {
            commands[merges] = (struct text_list){0};
            link_add_merge(links[i], &commands[merges]);
            merged[merges++] = links[i];
        }
    }
    enum status status =
        merges > 0 ? links_run(merged, commands, merges, link_object, error) : STATUS_OK;
    free(merged);
    free(commands);
    return status;
}

/* Adds the names of the object's sections of functions, each once. */
static void layouts_add_sections(const char *bytes, size_t size, struct text_list *names)
{
    const Elf64_Ehdr *head = (const void *)bytes;
    if (size < sizeof(*head) || memcmp(bytes, ELFMAG, SELFMAG) != 0 ||
        bytes[EI_CLASS] != ELFCLASS64 || head->e_shoff > size ||
        head->e_shnum * sizeof(Elf64_Shdr) > size - head->e_shoff) {
        return;
    }
    const Elf64_Shdr *sections = (const void *)(bytes + head->e_shoff);
    const char *strings = bytes + sections[head->e_shstrndx].sh_offset;
    for (size_t i = 0; i < head->e_shnum; i++) {
        const char *name = strings + sections[i].sh_name;
        bool known = false;
        for (size_t n = 0; n < names->count && !known; n++) {
            known = strcmp(names->items[n], name) == 0;
        }
        if (!known && strncmp(name, ".text.", strlen(".text.")) == 0) {
            text_list_add(names, text_format("%s", name));
        }
    }
}

static enum status link_read_sections(const struct link *link, struct text_list *names,
                                      struct error *error)
{
    int fd = open(link->object, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *bytes = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (bytes == MAP_FAILED) {
        (void)error_set(error, STATUS_IO, "%s: %m", link->object);
    } else {
        layouts_add_sections(bytes, (size_t)status.st_size, names);
        (void)munmap(bytes, (size_t)status.st_size);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (bytes != MAP_FAILED && names->count < 2) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s has no section a function: was it compiled with -ffunction-sections?",
                         link->object);
    }
    return bytes == MAP_FAILED ? STATUS_IO : STATUS_OK;
}

/* Writes a linker script that puts the functions into an output section of their own, shuffled.
 * Before every fourth function there is a gap of 16, 32 or 48 bytes: functions begin at multiples
 * of 16 and cache lines have 64 bytes, so that a shuffled order alone would move functions by whole
 * lines too often. With INSERT the linker's own script stays in force; GNU ld has it since 2.19,
 * and lld has it. */
static enum status link_write_script(const struct link *link, const struct text_list *names,
                                     struct error *error)
{
    struct rng rng;
    uint32_t *order = text_grow(NULL, names->count, sizeof(*order));
    FILE *file = fopen(link->script, "we");
    if (file == NULL) {
        free(order);
        return error_set(error, STATUS_IO, "%s: %m", link->script);
    }
    for (uint32_t i = 0; i < names->count; i++) {
        order[i] = i;
    }
    rng_seed(&rng, link->number);
    rng_shuffle_u32(&rng, order, names->count);
    (void)fprintf(file, "SECTIONS\n{\n  .text.heapmill :\n  {\n");
    for (size_t i = 0; i < names->count; i++) {
        if (rng_below(&rng, 4) == 0) {
            (void)fprintf(file, "    . += %u;\n", 16 * (1 + (unsigned)rng_below(&rng, 3)));
        }
        (void)fprintf(file, "    *(%s)\n", names->items[order[i]]);
    }
    (void)fprintf(file, "  }\n}\nINSERT BEFORE .text;\n");
    free(order);
    return fclose(file) == 0 ? STATUS_OK : error_set(error, STATUS_IO, "%s: %m", link->script);
}

/* Runs the command that linked the worker, with the merged object and the script. */
static void link_add_command(const struct link *link, struct text_list *words)
{
    const struct text_list *lines = &link->recipe.lines;
    bool merged = false;
    for (size_t i = 1; i < lines->count; i++) {
        const char *word = lines->items[i];
        bool skipped = merged && recipe_is_input(word);
        if (strcmp(word, "-o") == 0) {
            text_list_add(words, text_format("-o"));
            text_list_add(words, text_format("%s", link->scratch));
            i++;
        } else if (!skipped && word[0] != '\0') {
            bool first = recipe_is_input(word);
            text_list_add(words, text_format("%s", first ? link->object : word));
            merged = merged || first;
        }
    }
    text_list_add(words, text_format("-Wl,-T,%s", link->script));
}

static enum status link_open(struct link *link, const struct registry *registry,
                             const char *program, unsigned number, struct error *error)
{
    *link = (struct link){.registry = registry, .program = program, .number = number};
    char *suffix = text_format(".%u", number);
    link->object = layouts_path(registry, program, ".o");
    link->path = layouts_path(registry, program, suffix);
    link->scratch = text_format("%s.%d", link->path, (int)getpid());
    link->script = text_format("%s.ld", link->scratch);
    free(suffix);
    return recipe_read(registry, program, &link->recipe, error);
}

static void link_close(struct link *link)
{
    (void)unlink(link->script);
    (void)unlink(link->scratch);
    text_list_free(&link->recipe.lines);
    free(link->object);
    free(link->script);
    free(link->scratch);
    free(link->path);
}

/* The script of a link, once the merged object is there. */
static enum status link_script(const struct link *link, struct error *error)
{
    struct text_list names = {0};
    enum status status = link_read_sections(link, &names, error);
    if (status == STATUS_OK) {
        status = link_write_script(link, &names, error);
    }
    text_list_free(&names);
    return status;
}

/* The links themselves, which are not there or are of an older build. */
static enum status links_build(struct link *const *links, size_t count, struct error *error)
{
    struct text_list *commands = text_grow(NULL, count, sizeof(*commands));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        char *directory = text_format("%s", links[i]->path); /* another build tree has its own */
        *strrchr(directory, '/') = '\0';
        status = file_make_directory(directory, error);
        free(directory);
    }
    if (status == STATUS_OK) {
        status = links_merge(links, count, error);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = link_script(links[i], error);
    }
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            commands[i] = (struct text_list){0};
            link_add_command(links[i], &commands[i]);
        }
        status = links_run(links, commands, count, link_path, error);
    }
    free(commands);
    return status;
}

enum status layouts_make(const struct registry *registry, const struct layouts_wanted *wanted,
                         size_t count, unsigned *made, struct error *error)
{
    struct link *links = text_grow(NULL, count + 1, sizeof(*links));
    struct link **missing = text_grow(NULL, count + 1, sizeof(struct link *));
    size_t opened = 0;
    size_t missing_count = 0;
    enum status status = STATUS_OK;
    while (opened < count && status == STATUS_OK) {
        struct link *link = &links[opened];
        status = link_open(link, registry, wanted[opened].program, wanted[opened].number, error);
        opened++;
        if (status == STATUS_OK && !link_is_current(link, link->path)) {
            missing[missing_count++] = link;
        }
    }
    if (status == STATUS_OK && missing_count > 0) {
        status = links_build(missing, missing_count, error);
    }
    if (status == STATUS_OK && made != NULL) {
        *made += (unsigned)missing_count;
    }
    for (size_t i = 0; i < opened; i++) {
        link_close(&links[i]);
    }
    free(links);
    free(missing);
    return status;
}

enum status layouts_program(const struct registry *registry, const char *program, unsigned number,
                            char **name, unsigned *made, struct error *error)
{
    const struct layouts_wanted wanted = {.program = program, .number = number};
    char *suffix = text_format(".%u", number);
    enum status status = layouts_make(registry, &wanted, 1, made, error);
    *name = status == STATUS_OK ? layouts_path(registry, program, suffix) : NULL;
    free(suffix);
    return status;
}
