/* Writes a C program that fails as an input does. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "fuzz/campaign/execute.h"
#include "fuzz/campaign/triage.h"

/* Takes the words of a compiler's command line that a reproducer needs: definitions, folders,
 * dialect. Their quotes for the shell stay. */
static void reproducer_take_flags(const char *command, struct text_list *flags)
{
    struct text_list words = {0};
    text_split(&words, command, ' ');
    for (size_t i = 0; i < words.count; i++) {
        const char *word = words.items[i];
        bool wanted = strncmp(word, "-D", 2) == 0 || strncmp(word, "-I", 2) == 0 ||
                      strncmp(word, "-std=", 5) == 0 || strncmp(word, "-fno-builtin", 12) == 0;
        bool known = false;
        for (size_t j = 0; j < flags->count && wanted; j++) {
            known = known || strcmp(flags->items[j], word) == 0;
        }
        if (wanted && !known) {
            text_list_add(flags, text_format("%s", word));
        }
    }
    text_list_free(&words);
}

/* Is the file needed? Engines have their own main and are not. */
static bool reproducer_wants(const char *file)
{
    const char *name = strrchr(file, '/');
    name = name != NULL ? name + 1 : file;
    return strcmp(name, "engine_random.c") != 0 && strcmp(name, "engine_libfuzzer.c") != 0;
}

/* Adds a source; of CMake's unity file it adds the included sources. */
static void reproducer_take_source(const char *file, struct text_list *sources)
{
    char *text;
    size_t size;
    if (strstr(file, "/Unity/unity_") == NULL) {
        if (reproducer_wants(file)) {
            text_list_add(sources, text_format("%s", file));
        }
        return;
    }
    (void)file_read(file, &text, &size, NULL);
    for (const char *at = text; (at = strstr(at, "#include \"")) != NULL;) {
        at += strlen("#include \"");
        char *path = text_format("%.*s", (int)strcspn(at, "\""), at);
        if (reproducer_wants(path)) {
            text_list_add(sources, path);
        } else {
            free(path);
        }
    }
    free(text);
}

/* Reads the program's entries of compile_commands.json, and the sources of the common/ library that
 * it is linked with. */
static enum status reproducer_read_commands(const struct fuzz_catalog *catalog,
                                            const struct fuzz_program *program,
                                            struct text_list *flags, struct text_list *sources,
                                            struct error *error)
{
    char *path = text_format("%s/compile_commands.json", catalog->trees[FUZZ_TREE_ORDINARY]);
    char *owner = text_format("/heapmill-fuzz-%s.dir/", program->label);
    json_t *entries = json_load_file(path, 0, NULL);
    bool found = false;
    size_t index;
    const json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        const char *command = json_string_value(json_object_get(entry, "command"));
        const char *file = json_string_value(json_object_get(entry, "file"));
        bool own = command != NULL && strstr(command, owner) != NULL;
        bool common = command != NULL && strstr(command, "/heapmill_common.dir/") != NULL;
        if (own) {
            reproducer_take_flags(command, flags);
            found = true;
        }
        if (file != NULL && (own || common)) {
            reproducer_take_source(file, sources);
        }
    }
    enum status status = found ? STATUS_OK
                               : error_set(error, STATUS_NOT_FOUND,
                                           "%s does not say how %s is compiled: no C reproducer",
                                           path, program->label);
    json_decref(entries);
    free(owner);
    free(path);
    return status;
}

/* The program's --wrap options of the linker, from the ordinary tree's build.ninja; "": it has
 * none. The caller frees. */
static char *reproducer_find_wraps(const struct fuzz_catalog *catalog,
                                   const struct fuzz_program *program)
{
    char *text;
    size_t size;
    char *wraps = NULL;
    char *path = text_format("%s/build.ninja", catalog->trees[FUZZ_TREE_ORDINARY]);
    char *rule = text_format("build bin/heapmill-fuzz-%s:", program->label);
    (void)file_read(path, &text, &size, NULL);
    const char *begin = strstr(text, rule);
    const char *end = begin != NULL ? strstr(begin, "\n\n") : NULL;
    const char *at = begin != NULL ? strstr(begin, "-Wl,--wrap=") : NULL;
    if (at != NULL && end != NULL && at < end) {
        wraps = text_format("%.*s ", (int)strcspn(at, " \n"), at);
    }
    free(rule);
    free(path);
    free(text);
    return wraps != NULL ? wraps : text_format("%s", "");
}

static char *reproducer_make_line(const struct fuzz_catalog *catalog,
                                  const struct fuzz_program *program, const char *path,
                                  struct text_list *flags, struct text_list *sources)
{
    char *flag_text = text_join(flags, " ");
    char *source_text = text_join(sources, " ");
    char *wraps = reproducer_find_wraps(catalog, program);
    char *line = text_format("cc -g -w %s %s%s %s -lm -ldl -pthread -o reproducer", flag_text,
                             wraps, path, source_text);
    free(wraps);
    free(source_text);
    free(flag_text);
    return line;
}

/* Writes the decoded program as a comment, with any comment end in it broken up. */
static void reproducer_write_program(FILE *file, const char *text)
{
    (void)fputs("/* The input as a program:\n *\n", file);
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        (void)fputs(" *   ", file);
        for (size_t i = 0; i < length; i++) {
            (void)fputc(at[i] == '/' && i > 0 && at[i - 1] == '*' ? '|' : at[i], file);
        }
        (void)fputc('\n', file);
        at += length + (at[length] == '\n');
    }
    (void)fputs(" */\n", file);
}

static void reproducer_write(FILE *file, const struct fuzz_failure *failure,
                             const struct fuzz_signature *signature, const char *line,
                             const char *program, const uint8_t *bytes, size_t size)
{
    (void)fprintf(file,
                  "/* heapmill fuzz triage: %s, %s%s%s\n *\n * Built by this one line, anywhere:\n"
                  " */\n// %s\n//\n// with -fsanitize=address,undefined for what a sanitizer "
                  "found.\n",
                  failure->program->label, signature->kind, signature->text[0] != '\0' ? ": " : "",
                  signature->text, line);
    if (failure->subject.library[0] != '\0') {
        (void)fprintf(file, "// Run it with HEAPMILL_FUZZ_LIBRARY=%s\n", failure->subject.library);
    }
    reproducer_write_program(file, program);
    (void)fputs("#include <stddef.h>\n#include <stdint.h>\n\n"
                "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);\n\n"
                "static const uint8_t input[] = {",
                file);
    for (size_t i = 0; i < size; i++) {
        (void)fprintf(file, "%s0x%02x,", i % 12 == 0 ? "\n    " : " ", bytes[i]);
    }
    (void)fprintf(
        file, "\n%s};\n\nint main(void)\n{\n    return LLVMFuzzerTestOneInput(input, %zu);\n}\n",
        size == 0 ? "    0, /* none: C has no empty arrays */\n" : "", size);
}

char *fuzz_triage_decode(const struct fuzz_failure *failure, const char *input)
{
    const char *path = failure->program->paths[fuzz_program_tree(failure->program)];
    struct fuzz_execution execution = {.text = NULL};
    struct error error;
    if (path == NULL) {
        return text_format("%s", "");
    }
    const char *const arguments[] = {path, "--print", input, NULL};
    enum status status = fuzz_execute(arguments, NULL, false, 30, &execution, &error);
    char *text = text_format(
        "%s", status == STATUS_OK && fuzz_execution_clean(&execution) ? execution.text : "");
    fuzz_execution_free(&execution);
    return text;
}

enum status fuzz_triage_write_reproducer(const struct fuzz_catalog *catalog,
                                         const struct fuzz_failure *failure,
                                         const struct fuzz_signature *signature, const char *input,
                                         const char *path, char **line, struct error *error)
{
    struct text_list flags = {0};
    struct text_list sources = {0};
    char *bytes = NULL;
    size_t size = 0;
    *line = NULL;
    enum status status =
        reproducer_read_commands(catalog, failure->program, &flags, &sources, error);
    if (status == STATUS_OK) {
        status = file_read(input, &bytes, &size, error);
    }
    if (status == STATUS_OK) {
        *line = reproducer_make_line(catalog, failure->program, path, &flags, &sources);
        char *program = fuzz_triage_decode(failure, input);
        FILE *file = fopen(path, "we");
        if (file != NULL) {
            reproducer_write(file, failure, signature, *line, program, (const uint8_t *)bytes,
                             size);
        }
        if (file == NULL || fclose(file) != 0) {
            status = error_set(error, STATUS_IO, "cannot write %s: %m", path);
        }
        free(program);
    }
    free(bytes);
    text_list_free(&flags);
    text_list_free(&sources);
    return status;
}
