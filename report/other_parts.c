#include "report/other_parts.h"

#include <stdlib.h>

#include "common/host/json.h"
#include "leaks/leaks.h"
#include "plots/figure.h"
#include "plots/leaks_figure.h"
#include "plots/power_figure.h"
#include "run/calibration_file.h"
#include "run/command/verdict.h"

static void part_begin(const struct report *report, const char *directory, const char *what,
                       struct document *document)
{
    document_heading(document, 1, "%s: %s", report_name(directory), what);
    document_anchor(document, "r%zu", report->number);
}

bool try_part_is_one(const char *directory)
{
    struct error error;
    json_t *plan = NULL;
    char *path = text_format("%s/plan.json", directory);
    bool is_one = json_read_file(path, &plan, &error) == STATUS_OK && json_at(plan, "try") != NULL;
    json_decref(plan);
    free(path);
    return is_one;
}

enum status try_part_add(struct report *report, const char *directory, struct document *document,
                         struct error *error)
{
    struct verdict verdict = {.set = NULL};
    enum status status = verdict_read(directory, &verdict, error);
    if (status == STATUS_OK) {
        part_begin(report, directory, "which allocator is best for a program", document);
        document_take(document, verdict_document(&verdict), 1);
        document_line(document, "The run is in %s; heapmill compare shows its other metrics.",
                      directory);
    }
    verdict_free(&verdict);
    return status;
}

enum status calibration_part_add(struct report *report, const char *directory,
                                 struct document *document, struct error *error)
{
    json_t *calibration = NULL;
    enum status status = calibration_read(directory, &calibration, error);
    if (status == STATUS_OK) {
        part_begin(report, directory, "what a machine can tell apart", document);
        document_line(document, "machine: %s, %.0f cores, kernel %s; made %s",
                      json_text_at(calibration, "host.cpu", "?"),
                      json_number_at(calibration, "host.cores", 0),
                      json_text_at(calibration, "host.kernel", "?"),
                      json_text_at(calibration, "created", "?"));
        calibration_report(calibration, document);
        json_decref(calibration);
    }
    return status;
}

enum status leaks_part_add(struct report *report, const char *directory, struct document *document,
                           struct error *error)
{
    json_t *records = NULL;
    enum status status = leaks_read(directory, &records, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct error drawn = {.message = ""};
    char *output = text_format("%s/%zu", report->scratch.path, report->number);
    json_t *score = leaks_score(records);
    part_begin(report, directory, "which leak detector finds which leak", document);
    document_line(document,
                  "Leaks were planted, so what is true is known. recall: of the leaks, how many "
                  "were found; precision: of the reports, how many are right; suspected: clean "
                  "programs that were accused.");
    leaks_report(score, document);
    status = leaks_figure_draw(score, output, report->options->command, &drawn);
    document_heading(document, 2, "Detectors and leaks in a picture");
    report_add_drawn(report, output, "leaks", figure_find("leaks")->summary,
                     "heapmill leaks --plot DIR", status, &drawn, document);
    json_decref(score);
    json_decref(records);
    free(output);
    return STATUS_OK;
}
