#include "fuzz/campaign/regress.h"

#include <math.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/host/files.h"
#include "fuzz/campaign/execute.h"

static const double REGRESS_TIME_S = 600;

static enum status regress_execute(const char *program, const struct text_list *inputs, bool *clean,
                                   struct error *error)
{
    struct text_list arguments = {0};
    struct fuzz_execution execution;
    text_list_add(&arguments, text_format("%s", program));
    for (size_t i = 0; i < inputs->count; i++) {
        text_list_add(&arguments, text_format("%s", inputs->items[i]));
    }
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    const char **vector = text_grow(NULL, arguments.count + 1, sizeof(*vector));
    for (size_t i = 0; i < arguments.count; i++) {
        vector[i] = arguments.items[i];
    }
    vector[arguments.count] = NULL;
    enum status status = fuzz_execute(vector, NULL, false, REGRESS_TIME_S, &execution, error);
    *clean = status == STATUS_OK && fuzz_execution_clean(&execution);
    fuzz_execution_free(&execution);
    free(vector);
    text_list_free(&arguments);
    return status;
}

/* Replays all inputs at once; if that fails, one by one. failed gets the paths. */
static enum status regress_program(const struct fuzz_program *program, enum fuzz_tree tree,
                                   const struct text_list *inputs, struct text_list *failed,
                                   struct error *error)
{
    bool clean = true;
    enum status status = inputs->count > 0
                             ? regress_execute(program->paths[tree], inputs, &clean, error)
                             : STATUS_OK;
    for (size_t i = 0; i < inputs->count && status == STATUS_OK && !clean; i++) {
        bool one = true;
        struct text_list input = {.items = &inputs->items[i], .count = 1};
        status = regress_execute(program->paths[tree], &input, &one, error);
        if (status == STATUS_OK && !one) {
            text_list_add(failed, text_format("%s", inputs->items[i]));
        }
    }
    if (status == STATUS_OK && !clean && failed->count == 0) {
        text_list_add(failed, text_format("(only all of them in one process)"));
    }
    return status;
}

static void regress_list_inputs(const struct fuzz_regress *regress,
                                const struct fuzz_catalog *catalog, const char *target,
                                struct text_list *inputs)
{
    struct text_list names = {0};
    char *directory = regress->corpus != NULL ? text_format("%s", regress->corpus)
                                              : fuzz_catalog_seeds(catalog, target);
    if (directory != NULL) {
        file_list_names(directory, &names);
    }
    for (size_t i = 0; i < names.count; i++) {
        if (names.items[i][0] != '.') {
            text_list_add(inputs, text_format("%s/%s", directory, names.items[i]));
        }
    }
    text_list_free(&names);
    free(directory);
}

static enum status regress_one(const struct fuzz_regress *regress,
                               const struct fuzz_catalog *catalog,
                               const struct fuzz_program *program, json_t *rows, size_t *failed,
                               struct error *error)
{
    struct text_list inputs = {0};
    struct text_list failing = {0};
    json_t *names = json_array();
    uint64_t begin = clock_wall_ns();
    regress_list_inputs(regress, catalog, program->target, &inputs);
    enum status status = regress_program(program, regress->tree, &inputs, &failing, error);
    for (size_t i = 0; i < failing.count; i++) {
        (void)json_array_append_new(names, json_string(failing.items[i]));
    }
    const char *verdict = failing.count > 0 ? "failed" : inputs.count > 0 ? "ok" : "no corpus";
    (void)json_array_append_new(rows,
                                json_pack("{s:s, s:I, s:f, s:s, s:o}", "program", program->label,
                                          "inputs", (json_int_t)inputs.count, "seconds",
                                          round((double)(clock_wall_ns() - begin) / 1e8) / 10,
                                          "status", verdict, "failed", names));
    *failed += failing.count > 0;
    text_list_free(&inputs);
    text_list_free(&failing);
    return status;
}

enum status fuzz_regress_run(const struct fuzz_regress *regress, json_t **rows, size_t *failed,
                             struct error *error)
{
    struct fuzz_catalog catalog;
    *rows = json_array();
    *failed = 0;
    enum status status = fuzz_catalog_open(&catalog, error);
    for (size_t i = 0; i < catalog.count && status == STATUS_OK; i++) {
        const struct fuzz_program *program = &catalog.programs[i];
        if (fuzz_program_is_asked(program, regress->tree, regress->targets, regress->backend)) {
            status = regress_one(regress, &catalog, program, *rows, failed, error);
        }
    }
    if (status == STATUS_OK && json_array_size(*rows) == 0) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "no such fuzz target is built: `heapmill fuzz list` names those that "
                           "are, `heapmill fuzz build` makes more");
    }
    fuzz_catalog_close(&catalog);
    return status;
}
