/* Making and printing programs. */
#include "gc/tests/python/program.h"

#include <stdlib.h>
#include <string.h>

#include "common/rng.h"

static const struct {
    const char *name;
    int arity;
    int weight;
    bool in_counted;
} ops[OP_COUNT] = {
#define STEP(name, arity, weight, counted) {#name, arity, weight, counted},
#include "gc/tests/python/steps.h"
#undef STEP
};

static enum program_op program_choose(struct rng *rng, bool counted)
{
    int total = 0;
    for (int i = 0; i < OP_COUNT; i++) {
        total += ops[i].in_counted || !counted ? ops[i].weight : 0;
    }
    int choice = (int)rng_below(rng, (uint64_t)total);
    for (int i = 0;; i++) {
        choice -= ops[i].in_counted || !counted ? ops[i].weight : 0;
        if (choice < 0) {
            return (enum program_op)i;
        }
    }
}

/* To call a legacy finalizer the interpreter makes a container, which may start a collection. */
static int program_kind(struct rng *rng, bool counted, unsigned features)
{
    bool has_legacy = (features & PROGRAM_LEGACY) && !counted;
    enum program_kind kinds = has_legacy ? KIND_COUNT : KIND_LEGACY;
    return (int)rng_below(rng, kinds);
}

static int program_collected(struct rng *rng, unsigned features)
{
    return features & PROGRAM_GENERATIONS ? (int)rng_below(rng, 3) : 2;
}

static struct program_step program_step(struct rng *rng, const struct program *program,
                                        unsigned features)
{
    struct program_step step = {.op = program_choose(rng, program->counted)};
    for (int i = 0; i < ops[step.op].arity; i++) {
        step.arguments[i] = (int)rng_below(rng, PROGRAM_NAMES);
    }
    switch (step.op) {
    case OP_new:
        step.arguments[0] = program_kind(rng, program->counted, features);
        break;
    case OP_watch:
        step.arguments[0] %= PROGRAM_WATCHES;
        step.arguments[2] %= 3;
        break;
    case OP_unwatch:
    case OP_look:
        step.arguments[0] %= PROGRAM_WATCHES;
        break;
    case OP_same:
        step.arguments[0] %= PROGRAM_WATCHES;
        step.arguments[1] %= PROGRAM_WATCHES;
        break;
    case OP_collect:
        step.arguments[0] = program_collected(rng, features);
        break;
    case OP_save_all:
        step.arguments[0] %= 2;
        break;
    case OP_threshold:
        step.arguments[0] = 1 + (int)rng_below(rng, 12);
        step.arguments[1] = 1 + (int)rng_below(rng, 3);
        step.arguments[2] = 1 + (int)rng_below(rng, 3);
        break;
    case OP_enable:
        step.arguments[0] = rng_below(rng, 4) != 0;
        break;
    default:
        break;
    }
    return step;
}

void program_make(struct program *program, uint64_t seed, unsigned features)
{
    struct rng rng;
    rng_seed(&rng, seed);
    *program = (struct program){.counted = rng_below(&rng, 3) == 0};
    program->counted = program->counted && (features & PROGRAM_AUTOMATIC);
    int length = 8 + (int)rng_below(&rng, PROGRAM_STEPS_MAX - 8);
    if (program->counted) {
        program->steps[program->length++] = (struct program_step){OP_threshold, {3, 2, 2}};
        program->steps[program->length++] = (struct program_step){OP_enable, {1}};
    }
    while (program->length < length) {
        struct program_step step = program_step(&rng, program, features);
        bool about_counts = step.op == OP_counts || step.op == OP_threshold || step.op == OP_enable;
        if (program->counted || !about_counts) {
            program->steps[program->length++] = step;
        }
    }
}

/* -1: unknown. */
static int program_read_argument(const char *word)
{
    static const char *const words[][2] = {
        {"plain", "0"},       {"dies", "1"}, {"saves", "2"}, {"clears", "3"},
        {"makes", "4"},       {"list", "5"}, {"dict", "6"},  {"legacy", "7"},
        {"legacysaves", "8"}, {"a", "0"},    {"b", "1"},     {"c", "2"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], word) == 0) {
            word = words[i][1];
        }
    }
    return *word >= '0' && *word <= '9' ? atoi(word) : -1;
}

static bool program_read_step(struct program_step *step, char *text)
{
    char *rest = NULL;
    const char *word = strtok_r(text, " ", &rest);
    for (int i = 0; word != NULL && i < OP_COUNT; i++) {
        if (strcmp(ops[i].name, word) == 0) {
            step->op = (enum program_op)i;
            for (int k = 0; k < ops[i].arity; k++) {
                word = strtok_r(NULL, " ", &rest);
                step->arguments[k] = word == NULL ? -1 : program_read_argument(word);
                if (step->arguments[k] < 0) {
                    return false;
                }
            }
            return strtok_r(NULL, " ", &rest) == NULL;
        }
    }
    return false;
}

bool program_parse(struct program *program, const char *text)
{
    char copy[1024];
    char *rest = NULL;
    *program = (struct program){.length = 0};
    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy)) {
        return false;
    }
    for (char *step = strtok_r(copy, ",", &rest); step != NULL; step = strtok_r(NULL, ",", &rest)) {
        if (program->length == PROGRAM_STEPS_MAX ||
            !program_read_step(&program->steps[program->length++], step)) {
            return false;
        }
    }
    return program->length > 0;
}

void program_print(const struct program *program, const char *name, FILE *out)
{
    fprintf(out, "def %s():\n", name);
    for (int i = 0; i < program->length; i++) {
        const struct program_step *step = &program->steps[i];
        fprintf(out, "    %s(", ops[step->op].name);
        for (int k = 0; k < ops[step->op].arity; k++) {
            fprintf(out, k == 0 ? "%d" : ", %d", step->arguments[k]);
        }
        fprintf(out, ")\n");
    }
}
