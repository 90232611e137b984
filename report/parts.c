/* The parts of a page. The files of a directory decide which part it gets. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "report/bench_part.h"
#include "report/fuzz_part.h"
#include "report/other_parts.h"
#include "report/part.h"

const struct report_part report_part_table[] = {
    /* kind, file, further condition, function that adds it */
    {"a run of heapmill try", "plan.json", try_part_is_one, try_part_add},
    {"a run of heapmill bench", "plan.json", NULL, bench_part_add},
    {"a fuzz campaign", "campaign.json", NULL, campaign_part_add},
    {"a score of fuzz engines", "score.json", NULL, score_part_add},
    {"a calibration", "calibration.json", NULL, calibration_part_add},
    {"a run of heapmill leaks", "records.jsonl", NULL, leaks_part_add},
    {"a trace", NULL, trace_part_is_one, trace_part_add},
    {.kind = NULL},
};

static bool part_holds(const struct report_part *part, const char *directory)
{
    char *path = text_format("%s/%s", directory, part->file != NULL ? part->file : ".");
    bool holds = part->file == NULL || access(path, F_OK) == 0;
    free(path);
    return holds && (part->is_one == NULL || part->is_one(directory));
}

const struct report_part *report_find_part(const char *directory, struct error *error)
{
    struct text_list kinds = {0};
    for (const struct report_part *part = report_part_table; part->kind != NULL; part++) {
        if (part_holds(part, directory)) {
            text_list_free(&kinds);
            return part;
        }
        text_list_add(&kinds, text_format("%s (%s)", part->kind,
                                          part->file != NULL ? part->file : "the file itself"));
    }
    char *list = text_join(&kinds, ", ");
    (void)error_set(error, STATUS_NOT_FOUND, "%s holds nothing to report; a report is made of %s",
                    directory, list);
    free(list);
    text_list_free(&kinds);
    return NULL;
}

bool report_is_run(const char *directory)
{
    struct error error;
    const struct report_part *part = report_find_part(directory, &error);
    return part != NULL && part->add == bench_part_add;
}

const char *report_name(const char *directory)
{
    const char *slash = strrchr(directory, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : directory;
}
