/* heapmill-story-objects EXPERIMENT: runs one experiment of the story with the object layer itself,
 * over pymalloc-3.10, and prints one JSON object. Exit status 0; 2: there is no such experiment; 3:
 * memory is exhausted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story/objects/show.h"

enum { MAIN_ANSWER_BYTES = 1 << 16 };

static const struct {
    const char *name;
    show_experiment *run;
} main_experiments[] = {
    {"counts", show_counts}, {"shared", show_shared}, {"chain", show_chain},
    {"cost", show_cost},     {"cycle", show_cycle},   {"detector", show_detector},
    {"ring", show_ring},     {"care", show_care},
};

void show_open(struct show *show, const char *collector)
{
    static const struct heap_options options;
    struct error error = {.message = ""};
    const struct gc_policy *policy =
        collector != NULL ? gc_policy_find(collector, &error) : gc_policy_default();
    if (policy == NULL || heap_open(&show->heap, &options, &error) != STATUS_OK) {
        (void)fprintf(stderr, "heapmill-story-objects: %s\n", error.message);
        exit(3);
    }
    show->runtime = runtime_open_with(&show->heap, policy, &error);
    (void)show_need(show->runtime);
}

void show_close(struct show *show)
{
    (void)runtime_close(show->runtime);
    heap_close(&show->heap);
}

void *show_need(void *object)
{
    if (object == NULL) {
        (void)fputs("heapmill-story-objects: memory is exhausted\n", stderr);
        exit(3);
    }
    return object;
}

void show_step(struct json_writer *json, const char *step, int64_t count)
{
    json_open_object(json, NULL);
    json_add_string(json, "step", step);
    json_add_i64(json, "count", count);
    json_close_object(json);
}

int main(int argc, char **argv)
{
    static char answer[MAIN_ANSWER_BYTES];
    struct json_writer json;
    size_t count = sizeof(main_experiments) / sizeof(main_experiments[0]);
    for (size_t i = 0; argc == 2 && i < count; i++) {
        if (strcmp(argv[1], main_experiments[i].name) == 0) {
            json_writer_begin(&json, answer, sizeof(answer));
            json_open_object(&json, NULL);
            main_experiments[i].run(&json);
            json_close_object(&json);
            if (json_writer_end(&json) == 0) {
                return 3;
            }
            return fputs(answer, stdout) >= 0 && fflush(stdout) == 0 ? 0 : 3;
        }
    }
    (void)fputs("usage: heapmill-story-objects", stderr);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(stderr, "%s%s", i == 0 ? " " : "|", main_experiments[i].name);
    }
    (void)fputs("\n", stderr);
    return 2;
}
