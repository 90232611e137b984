/* Which operation of an input broke the state first, and in which function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/campaign/execute.h"
#include "fuzz/campaign/triage.h"
#include "fuzz/said.h"

enum { STEP_FUNCTIONS = 8 };

static const double STEP_TIME_S = 60;

/* The build that counts what an operation runs, or the one that failed. */
static const char *step_program(const struct fuzz_failure *failure)
{
    char *const *paths = failure->program->paths;
    if (failure->tree == FUZZ_TREE_LIBFUZZER || paths[FUZZ_TREE_FAST] == NULL) {
        return paths[failure->tree];
    }
    return paths[FUZZ_TREE_FAST];
}

/* The line of the decoded program that is its operation of that number, from 1. "" if it has none.
 * The caller frees. */
static char *step_decode(const struct fuzz_failure *failure, const char *input,
                         unsigned long number)
{
    char *program = fuzz_triage_decode(failure, input);
    const char *line = program;
    char *found = NULL;
    for (unsigned long at = 0; *line != '\0' && found == NULL;) {
        size_t length = strcspn(line, "\n");
        at += line[0] != '#';
        if (line[0] != '#' && at == number) {
            found = text_format(", %.*s", (int)length, line);
        }
        line += length + (line[length] == '\n');
    }
    free(program);
    return found != NULL ? found : text_format("%s", "");
}

/* The offsets of the lines "heapmill-fuzz: EDGE TIMES OFFSET", in their order: the rarest first. */
static void step_read_edges(const char *output, struct text_list *offsets)
{
    static const char word[] = "heapmill-fuzz: EDGE ";
    for (const char *at = output; (at = strstr(at, word)) != NULL; at++) {
        const char *offset = at + sizeof(word) - 1;
        offset += strcspn(offset, " \n");
        offset += *offset == ' ';
        text_list_add(offsets, text_format("%.*s", (int)strcspn(offset, "\n"), offset));
    }
}

static bool step_has(const struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strncmp(names->items[i], name, strlen(name)) == 0 &&
            names->items[i][strlen(name)] == ' ') {
            return true;
        }
    }
    return false;
}

/* Appends "FUNCTION (FILE:LINE)" of the code under test for each address in the symbolizer's
 * answer: a block of lines, of which the first two are the innermost function, inlined or not, and
 * its place.
 */
static void step_read_names(const char *answer, struct text_list *names)
{
    for (const char *line = answer; *line != '\0' && names->count < STEP_FUNCTIONS;) {
        size_t length = strcspn(line, "\n");
        const char *next = line + length + (line[length] == '\n');
        char *function = text_format("%.*s", (int)length, line);
        char *place = text_format("%.*s", (int)strcspn(next, "\n"), next);
        char *column = strrchr(place, ':');
        if (column != NULL) {
            *column = '\0';
        }
        const char *own = fuzz_own_path(place, false);
        bool is_binding = own != NULL && strncmp(own, "allocators/backend.h", 20) == 0;
        if (own != NULL && !is_binding && !step_has(names, function)) {
            text_list_add(names, text_format("%s (%s)", function, own));
        }
        free(place);
        free(function);
        const char *end = strstr(line, "\n\n");
        line = end != NULL ? end + 2 : "";
    }
}

/* Of LLVM's symbolizer, since clang compiled what has counters; nobody is named without it. */
static enum status step_name_functions(const char *program, const struct text_list *offsets,
                                       struct text_list *names, struct error *error)
{
    char *symbolizer = file_find_program("llvm-symbolizer");
    struct text_list arguments = {0};
    struct fuzz_execution execution = {.text = NULL};
    enum status status = STATUS_OK;
    if (symbolizer != NULL && offsets->count > 0) {
        text_list_add(&arguments, text_format("%s", symbolizer));
        text_list_add(&arguments, text_format("--obj=%s", program));
        for (size_t i = 0; i < offsets->count; i++) {
            text_list_add(&arguments, text_format("%s", offsets->items[i]));
        }
        text_list_add(&arguments, NULL);
        status = fuzz_execute((const char *const *)arguments.items, NULL, false, STEP_TIME_S,
                              &execution, error);
    }
    if (status == STATUS_OK && execution.text != NULL) {
        step_read_names(execution.text, names);
    }
    fuzz_execution_free(&execution);
    text_list_free(&arguments);
    free(symbolizer);
    return status;
}

static enum status step_describe(const struct fuzz_failure *failure, const char *program,
                                 const char *input, const char *output, char **step,
                                 struct error *error)
{
    struct fuzz_said said;
    if (!fuzz_said_read(output, &said)) {
        return STATUS_OK;
    }
    struct text_list offsets = {0};
    struct text_list names = {0};
    const char *at = strstr(output, "(operation ");
    unsigned long number = at != NULL ? strtoul(at + strlen("(operation "), NULL, 10) : 0;
    char *operation = step_decode(failure, input, number);
    step_read_edges(output, &offsets);
    enum status status = step_name_functions(program, &offsets, &names, error);
    char *functions = text_join(&names, ", ");
    *step = text_format("operation %lu%s: %s: %s%s%s", number, operation, said.kind, said.text,
                        names.count > 0 ? "; ran there first: " : "", functions);
    free(functions);
    free(operation);
    text_list_free(&names);
    text_list_free(&offsets);
    return status;
}

enum status fuzz_triage_find_step(const struct fuzz_failure *failure,
                                  const struct fuzz_signature *signature, const char *input,
                                  char **step, struct error *error)
{
    const bool records = fuzz_program_records(failure->program);
    struct fuzz_subject subject = failure->subject;
    struct fuzz_execution execution;
    *step = NULL;
    if (strncmp(signature->kind, "oracle ", strlen("oracle ")) != 0 ||
        (records && strcmp(signature->kind, "oracle contents") != 0)) {
        return STATUS_OK;
    }
    subject.careful = true;
    subject.only = records ? "contents" : subject.only;
    const char *program = step_program(failure);
    const char *const arguments[] = {program, input, NULL};
    enum status status = fuzz_execute(arguments, &subject, false, STEP_TIME_S, &execution, error);
    if (status == STATUS_OK && !fuzz_execution_clean(&execution)) {
        status = step_describe(failure, program, input, execution.text, step, error);
    }
    fuzz_execution_free(&execution);
    return status;
}
