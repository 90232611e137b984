/* `heapmill leaks` without a command: shows which detector finds which leak, on which back end, at
 * what cost. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/leaks_matrix.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "leaks/detectors.h"
#include "leaks/leaks.h"
#include "plots/leaks_figure.h"
#include "run/registry.h"

static void leaks_print(const json_t *score)
{
    struct document *document = document_new();
    leaks_report(score, document);
    document_show(document);
}

static int leaks_finish(const struct leaks_options *options, enum status status,
                        const json_t *records, uint64_t skipped, const struct error *error)
{
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "heapmill leaks: %s\n",
                      status == STATUS_INTERRUPTED ? "stopped; the same command goes on from here"
                                                   : error->message);
        return status == STATUS_INTERRUPTED ? EXIT_INTERRUPTED
               : status == STATUS_INVALID   ? EXIT_USAGE
                                            : EXIT_ENVIRONMENT;
    }
    json_t *score = leaks_score(records);
    if (options->json) {
        json_print(score);
    } else {
        leaks_print(score);
    }
    size_t faults = leaks_faults(score);
    struct error drawn = {.message = ""};
    if (options->plot != NULL &&
        leaks_figure_draw(score, options->plot, "heapmill leaks --plot", &drawn) != STATUS_OK) {
        (void)fprintf(stderr, "heapmill leaks: %s\n", drawn.message);
        json_decref(score);
        return EXIT_ENVIRONMENT;
    }
    json_decref(score);
    return faults > 0 && options->detectors.count == 0 ? EXIT_FINDING
           : skipped > 0                               ? EXIT_PARTIAL
                                                       : EXIT_CLEAN;
}
int leaks_matrix(struct leaks_options *options)
{
    struct error error = {.message = ""};
    json_t *records = NULL;
    uint64_t skipped = 0;
    struct registry registry;
    process_prepare_signals();
    enum status status = registry_open(&registry, &error);
    options->programs = registry.program_directory;
    if (status == STATUS_OK) {
        status = leaks_run(options, &records, &skipped, &error);
    }
    int result = leaks_finish(options, status, records, skipped, &error);
    json_decref(records);
    registry_close(&registry);
    return result;
}
