#include "results/compare/report.h"
#include "results/export/export.h"

enum status export_markdown(const struct export_source *source, FILE *file, struct error *error)
{
    struct document *document = document_new();
    for (size_t i = 0; i < source->comparison_count; i++) {
        const struct metric *metric = source->comparisons[i]->metric;
        document_heading(document, 2, "%s: %s", metric->name, metric->summary);
        comparison_report(source->comparisons[i], document);
    }
    document_print_markdown(document, file);
    document_free(document);
    return ferror(file) == 0 ? STATUS_OK
                             : error_set(error, STATUS_IO, "the Markdown could not be written");
}
