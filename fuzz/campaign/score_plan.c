/* Plans the trials of a score: see score_plan.h. */
#include "fuzz/campaign/score_plan.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/engines/launch.h"
#include "results/name_filter.h"

static bool score_has_engine(const struct fuzz_program *program, enum fuzz_engine engine, bool fast)
{
    enum fuzz_tree tree = engine == FUZZ_ENGINE_RANDOM ? FUZZ_TREE_ORDINARY
                          : fuzz_engine_is_afl(engine) ? FUZZ_TREE_AFL
                          : fast                       ? FUZZ_TREE_FAST
                                                       : FUZZ_TREE_LIBFUZZER;
    return program->paths[tree] != NULL;
}

/* Chooses the engines that were named, or all for which a program is built; always with random. */
static enum status score_choose_engines(const struct score_arguments *arguments,
                                        const struct fuzz_catalog *catalog, json_t *engines,
                                        struct error *error)
{
    bool chosen[FUZZ_ENGINES] = {[FUZZ_ENGINE_RANDOM] = true};
    struct text_list words = {0};
    text_split(&words, arguments->engines != NULL ? arguments->engines : "random", ',');
    enum status status = STATUS_OK;
    for (size_t i = 0; i < words.count && status == STATUS_OK; i++) {
        enum fuzz_engine engine = fuzz_engine_named(words.items[i]);
        if (engine == FUZZ_ENGINES) {
            status = error_set(error, STATUS_INVALID,
                               "there is no engine '%s': random, libfuzzer, libfuzzer-nomutator, "
                               "afl, afl-nomutator",
                               words.items[i]);
        } else {
            chosen[engine] = true;
        }
    }
    for (size_t i = 0; i < FUZZ_ENGINES; i++) {
        for (size_t j = 0; arguments->engines == NULL && j < catalog->count && !chosen[i]; j++) {
            const struct fuzz_program *program = &catalog->programs[j];
            chosen[i] = program->bug[0] != '\0' &&
                        score_has_engine(program, (enum fuzz_engine)i, arguments->fast);
        }
        if (chosen[i]) {
            (void)json_array_append_new(engines,
                                        json_string(fuzz_engine_name((enum fuzz_engine)i)));
        }
    }
    text_list_free(&words);
    return status;
}

static void score_add_name(json_t *array, const char *name)
{
    size_t index;
    const json_t *item;
    json_array_foreach(array, index, item)
    {
        if (strcmp(json_string_value(item), name) == 0) {
            return;
        }
    }
    (void)json_array_append_new(array, json_string(name));
}

/* Checks that each program is built for each engine. A missing build would look like a bug that is
 * never found. */
static enum status score_require_builds(const struct fuzz_program *program, const json_t *engines,
                                        bool fast, struct error *error)
{
    size_t index;
    const json_t *engine;
    json_array_foreach(engines, index, engine)
    {
        const char *name = json_string_value(engine);
        if (!score_has_engine(program, fuzz_engine_named(name), fast)) {
            return error_set(error, STATUS_NOT_FOUND,
                             "%s is not built for %s: run `heapmill fuzz build`, or leave it out "
                             "by --engines or --bugs",
                             program->label, name);
        }
    }
    return STATUS_OK;
}

/* Does its bug.json say that blind random input does not find the bug in 60 s? */
static bool score_is_hard(const struct fuzz_catalog *catalog, const char *bug)
{
    char *path = text_format("%s/fuzz/bugs/%s/bug.json", catalog->source, bug);
    json_t *description = json_load_file(path, 0, NULL);
    bool hard = json_is_true(json_object_get(description, "hard"));
    json_decref(description);
    free(path);
    return hard;
}

static enum status score_choose_programs(const struct score_arguments *arguments,
                                         const struct fuzz_catalog *catalog, const json_t *engines,
                                         json_t *programs, json_t *controls, struct error *error)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *program = &catalog->programs[i];
        const struct fuzz_program *control;
        if (program->bug[0] == '\0' || !name_filter_matches(arguments->bugs, program->bug) ||
            !name_filter_matches(arguments->backends, program->backend) ||
            (arguments->hard && !score_is_hard(catalog, program->bug))) {
            continue;
        }
        enum status status = score_require_builds(program, engines, arguments->fast, error);
        if (status == STATUS_OK) {
            status =
                fuzz_catalog_find(catalog, program->target, program->backend, "", &control, error);
        }
        if (status == STATUS_OK) {
            status = score_require_builds(control, engines, arguments->fast, error);
        }
        if (status != STATUS_OK) {
            return status;
        }
        score_add_name(programs, program->label);
        score_add_name(controls, control->label);
    }
    return json_array_size(programs) > 0
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND,
                           "no such planted bug is built: `heapmill fuzz list --bugs` names those "
                           "that are, `heapmill fuzz build` makes them");
}

enum status score_make_plan(const struct score_arguments *arguments,
                            const struct fuzz_catalog *catalog, json_t **plan, struct error *error)
{
    json_t *engines = json_array();
    json_t *programs = json_array();
    json_t *controls = json_array();
    enum status status = score_choose_engines(arguments, catalog, engines, error);
    if (status == STATUS_OK) {
        status = score_choose_programs(arguments, catalog, engines, programs, controls, error);
    }
    *plan = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:b}", "format",
                      "heapmill-fuzz-score-1", "engines", engines, "programs", programs, "controls",
                      controls, "trials", (json_int_t)arguments->trials, "control_trials",
                      (json_int_t)arguments->control_trials, "baseline_trials",
                      (json_int_t)arguments->baseline_trials, "time_s", arguments->time_s,
                      "baseline_time_s", arguments->baseline_time_s, "operations",
                      (json_int_t)arguments->operations, "seed", (json_int_t)arguments->seed,
                      "fast", (int)arguments->fast);
    return status;
}
