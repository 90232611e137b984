/* The detector `collector`: forces a collection with save_all, and names what it saves. Finds
 * cycles that nobody can reach; what anybody owns a reference to is alive to it. */
#include <stdio.h>
#include <string.h>

#include "gc/introspect.h"
#include "gc/runtime.h" /* whether the collector is on */
#include "leaks/planted/leak_detector.h"

struct leak_report *leak_answer_find(struct leak_answer *answer, const char *site, const char *type)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (strcmp(answer->leaks[i].site, site) == 0 && strcmp(answer->leaks[i].type, type) == 0) {
            return &answer->leaks[i];
        }
    }
    if (answer->count == LEAK_ANSWER_MAX) {
        return NULL;
    }
    struct leak_report *report = &answer->leaks[answer->count++];
    memset(report, 0, sizeof(*report));
    (void)snprintf(report->site, sizeof(report->site), "%s", site);
    (void)snprintf(report->type, sizeof(report->type), "%s", type);
    return report;
}

void leak_collect_as_program(struct leak_program *program)
{
    if (program->runtime->collector.enabled) {
        (void)gc_collect(program->runtime, 2);
    }
}

static void collector_detector_answer(struct leak_program *program, struct leak_answer *answer)
{
    leak_collect_as_program(program);
    struct object *garbage = gc_garbage(program->runtime);
    if (garbage == NULL) {
        answer->failed = "heap exhausted";
        return;
    }
    gc_set_save_all(program->runtime, true);
    (void)gc_collect(program->runtime, 2);
    gc_set_save_all(program->runtime, false);
    for (size_t i = 0; i < list_length(garbage); i++) {
        const struct object *object = list_item(garbage, i);
        struct leak_report *report = leak_answer_find(answer, "", object->type->name);
        if (report != NULL) {
            report->count++;
            report->bytes += object->type->size;
        }
    }
}

const struct leak_detector leak_detector_collector = {
    .name = "collector",
    .answer = collector_detector_answer,
};
