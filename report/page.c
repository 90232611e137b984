#include "report/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/svg.h"

/* The page may neither load nor send anything, whatever it contains. */
static const char page_policy[] = "default-src 'none'; style-src 'unsafe-inline'; script-src "
                                  "'unsafe-inline'; img-src data:";

static void page_print_links(const struct html_page *page, bool figures, FILE *file)
{
    (void)fputs("<ul>\n", file);
    for (size_t i = 0; i < page->heading_count; i++) {
        const struct html_heading *heading = &page->headings[i];
        if (figures ? heading->has_figure : heading->level <= 2) {
            (void)fprintf(file, "<li class=\"l%d\"><a href=\"#%s\">", heading->level,
                          heading->anchor);
            html_text(file, heading->text);
            (void)fputs("</a></li>\n", file);
        }
    }
    (void)fputs("</ul>", file);
}

/* The sections, and folded each figure: one link leads to any of them. */
static void page_print_contents(const struct html_page *page, FILE *file)
{
    bool any = false;
    for (size_t i = 0; i < page->heading_count; i++) {
        any = any || page->headings[i].has_figure;
    }
    (void)fputs("<nav aria-label=\"Contents\"><details open><summary>Contents</summary>", file);
    page_print_links(page, false, file);
    (void)fputs("</details>", file);
    if (any) {
        (void)fputs("<details><summary>Figures</summary>", file);
        page_print_links(page, true, file);
        (void)fputs("</details>", file);
    }
    (void)fputs("</nav>\n", file);
}

/* Prints JSON inside a script element without any '<', so that it cannot end the element. */
static void page_print_data(const json_t *data, FILE *file)
{
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(5)) : NULL;
    if (text != NULL) {
        (void)fputs("<script type=\"application/json\" id=\"data\">", file);
        for (const char *at = text; *at != '\0'; at++) {
            if (*at == '<') {
                (void)fputs("\\u003c", file);
            } else {
                (void)fputc(*at, file);
            }
        }
        (void)fputs("</script>\n", file);
    }
    free(text);
}

static void page_print(const char *title, const char *body, const struct html_page *page,
                       const json_t *data, FILE *file)
{
    (void)fprintf(file,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<link rel=\"icon\" href=\"data:,\">\n<title>",
                  page_policy);
    html_text(file, title);
    (void)fprintf(file, "</title>\n<style>\n%s", report_page_css);
    svg_print_classes(&page->classes, file);
    (void)fputs("</style></head>\n<body><a class=\"skip\" href=\"#content\">Skip to the content"
                "</a>\n<header><h1>",
                file);
    html_text(file, title);
    (void)fputs("</h1></header>\n", file);
    page_print_contents(page, file);
    (void)fprintf(file, "<main id=\"content\">\n%s</main>\n<footer>Made by heapmill %s.</footer>\n",
                  body, HEAPMILL_VERSION);
    page_print_data(data, file);
    (void)fprintf(file, "<script>\n%s</script>\n</body></html>\n", report_page_js);
}

enum status report_page_write(const char *path, const char *title,
                              struct document *const *documents, size_t count, const json_t *data,
                              struct error *error)
{
    struct html_page page = {.heading_count = 0};
    char *body = NULL;
    char *whole = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&body, &size);
    if (file == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the page");
    }
    for (size_t i = 0; i < count; i++) {
        document_print_html(documents[i], &page, file);
    }
    bool fine = fclose(file) == 0;
    file = fine ? open_memstream(&whole, &size) : NULL;
    if (file != NULL) {
        page_print(title, body, &page, data, file);
        fine = fclose(file) == 0;
    }
    enum status status = file != NULL && fine
                             ? file_replace(path, whole, size, error)
                             : error_set(error, STATUS_NO_MEMORY, "no memory for the page");
    free(body);
    free(whole);
    html_page_release(&page);
    return status;
}
