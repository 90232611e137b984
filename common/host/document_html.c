/* Prints a document as a part of an HTML page. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/document.h"
#include "common/host/files.h"
#include "common/host/svg.h"

void html_text(FILE *file, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        size_t length = text_utf8_length(at);
        if (length == 0 || (*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7f) {
            (void)fputc('?', file);
            length = 1;
        } else if (strchr("&<>\"'", *at) != NULL) {
            (void)fprintf(file, "&#%d;", *at);
        } else {
            (void)fwrite(at, 1, length, file);
        }
        at += length;
    }
}

/* ------------------------------------------------------------------------------------ anchors */

static bool html_anchor_is_taken(const struct html_page *page, const char *anchor)
{
    for (size_t i = 0; i < page->anchors.count; i++) {
        if (strcmp(page->anchors.items[i], anchor) == 0) {
            return true;
        }
    }
    return false;
}

/* "The noise floor" becomes the-noise-floor. The caller frees. */
static char *html_slug(const char *text)
{
    char *slug = text_format("%.60s", text);
    for (char *at = slug; *at != '\0'; at++) {
        *at = isalnum((unsigned char)*at) || strchr("-_.", *at) != NULL
                  ? (char)tolower((unsigned char)*at)
                  : '-';
    }
    return slug;
}

/* The slug, with a number if it is already used. Borrowed from the page. */
static const char *html_anchor(struct html_page *page, const char *text)
{
    char *slug = html_slug(text);
    char *anchor = text_format("%s", slug);
    for (size_t number = 2; html_anchor_is_taken(page, anchor); number++) {
        free(anchor);
        anchor = text_format("%s-%zu", slug, number);
    }
    free(slug);
    text_list_add(&page->anchors, anchor);
    return anchor;
}

void html_page_release(struct html_page *page)
{
    for (size_t i = 0; i < page->heading_count; i++) {
        free(page->headings[i].anchor);
        free(page->headings[i].text);
    }
    free(page->headings);
    text_list_free(&page->anchors);
    text_list_free(&page->classes);
    *page = (struct html_page){.heading_count = 0};
}

/* ------------------------------------------------------------------------------------- tables */

static bool html_column_is_empty(const struct table *table, size_t column)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_cell *cells = table->rows[i].cells;
        if (cells != NULL && cells[column].text != NULL && cells[column].text[0] != '\0') {
            return false;
        }
    }
    return table->columns[column].title[0] == '\0';
}

/* The number by which a cell is sorted; NAN: it is text. */
static double html_number(const struct table_cell *cell)
{
    const json_t *value =
        json_is_object(cell->json) ? json_object_get(cell->json, "value") : cell->json;
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void html_linked(FILE *file, const char *link, const char *text)
{
    if (link != NULL) {
        char *slug = link[0] == '#' ? html_slug(link + 1) : text_format("%s", link);
        (void)fputs(link[0] == '#' ? "<a href=\"#" : "<a href=\"", file);
        html_text(file, slug);
        (void)fputs("\">", file);
        free(slug);
    }
    html_text(file, text);
    (void)fputs(link != NULL ? "</a>" : "", file);
}

static void html_cell(FILE *file, const struct table_cell *cell, const struct table_column *column,
                      bool heads_row)
{
    static const char *const styles[] = {"", " good", " warning", " bad"};
    double number = html_number(cell);
    bool right = column->align == TABLE_RIGHT;
    (void)fputs(heads_row ? "<th scope=\"row\"" : "<td", file);
    if (right || cell->style != CELL_PLAIN) {
        (void)fprintf(file, " class=\"%s%s\"", right ? "n" : "t", styles[cell->style]);
    }
    if (isfinite(number)) {
        (void)fprintf(file, " data-v=\"%.6g\"", number);
    }
    (void)fputc('>', file);
    html_linked(file, cell->link, cell->text != NULL ? cell->text : "");
    if (cell->tail != NULL && cell->tail[0] != '\0') {
        (void)fputs(" <small>", file);
        html_text(file, cell->tail);
        (void)fputs("</small>", file);
    }
    (void)fputs(heads_row ? "</th>" : "</td>", file);
}

static void html_titles(FILE *file, const struct table *table)
{
    (void)fputs("<thead><tr>", file);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct table_column *column = &table->columns[i];
        if (!html_column_is_empty(table, i)) {
            (void)fprintf(file, "<th scope=\"col\"%s>",
                          column->align == TABLE_RIGHT ? " class=\"n\"" : "");
            /* Screen readers need a name for every column. */
            html_text(file, column->title[0] != '\0' ? column->title
                            : column->member != NULL ? column->member
                                                     : "remark");
            (void)fputs("</th>", file);
        }
    }
    (void)fputs("</tr></thead>\n<tbody>", file);
}

static void html_rows(FILE *file, const struct table *table)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->cells == NULL) {
            (void)fputs("</tbody><tbody>", file);
            continue;
        }
        (void)fputs(row->summary ? "<tr class=\"summary\">" : "<tr>", file);
        bool heads_row = true;
        for (size_t column = 0; column < table->column_count; column++) {
            if (!html_column_is_empty(table, column)) {
                html_cell(file, &row->cells[column], &table->columns[column], heads_row);
                heads_row = false;
            }
        }
        (void)fputs("</tr>\n", file);
    }
}

static void html_table(FILE *file, const struct table *table)
{
    const char *caption = table->caption != NULL ? table->caption : table->name;
    if (table->folded) {
        (void)fputs("<details><summary>", file);
        html_text(file, caption);
        (void)fputs("</summary>\n", file);
    }
    (void)fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", file);
    html_text(file, caption);
    (void)fputs("\"><table data-name=\"", file);
    html_text(file, table->name);
    (void)fputs("\">", file);
    if (table->caption != NULL && !table->folded) {
        (void)fputs("<caption>", file);
        html_text(file, caption);
        (void)fputs("</caption>", file);
    }
    html_titles(file, table);
    html_rows(file, table);
    (void)fprintf(file, "</tbody></table></div>%s\n", table->folded ? "</details>" : "");
}

/* ------------------------------------------------------------------------------------- blocks */

static void html_heading(FILE *file, const struct block *block, struct html_page *page)
{
    const char *anchor = html_anchor(page, block->anchor != NULL ? block->anchor : block->text);
    int level = block->level < 1 ? 2 : block->level > 5 ? 6 : block->level + 1;
    page->headings = text_grow(page->headings, page->heading_count + 1, sizeof(*page->headings));
    page->headings[page->heading_count++] =
        (struct html_heading){.level = block->level,
                              .anchor = text_format("%s", anchor),
                              .text = text_format("%s", block->text)};
    (void)fprintf(file, "<h%d id=\"%s\">", level, anchor);
    html_text(file, block->text);
    (void)fprintf(file, "</h%d>\n", level);
}

static void html_figure(FILE *file, const struct block *block, struct html_page *page)
{
    char *svg = NULL;
    size_t size = 0;
    struct error error = {.message = ""};
    enum status status = file_read(block->path, &svg, &size, &error);
    if (page->heading_count > 0) {
        page->headings[page->heading_count - 1].has_figure = true;
    }
    (void)fputs("<figure", file);
    if (block->anchor != NULL) {
        (void)fprintf(file, " id=\"%s\"", html_anchor(page, block->anchor));
    }
    (void)fputs("><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", file);
    html_text(file, block->text);
    (void)fputs("\">", file);
    if (status == STATUS_OK) {
        const struct svg_place place = {.number = ++page->pictures, .alternative = block->text};
        status = svg_inline(svg, &place, &page->classes, file, &error);
    }
    if (status != STATUS_OK) {
        (void)fputs("<p class=\"warning\">No picture: ", file);
        html_text(file, error.message);
        (void)fputs("</p>", file);
    }
    (void)fputs("</div><figcaption>", file);
    html_text(file, block->text);
    (void)fputs("</figcaption></figure>\n", file);
    free(svg);
}

static void html_sentence(FILE *file, const struct block *block, const char *before,
                          const char *after)
{
    (void)fputs(before, file);
    html_linked(file, block->link, block->text);
    (void)fputs(after, file);
}

static void html_block(FILE *file, const struct block *block, struct html_page *page)
{
    switch (block->kind) {
    case BLOCK_HEADING:
        html_heading(file, block, page);
        break;
    case BLOCK_LINE:
        html_sentence(file, block, "<li>", "</li>\n");
        break;
    case BLOCK_PARAGRAPH:
        html_sentence(file, block, "<p>", "</p>\n");
        break;
    case BLOCK_NOTE:
        html_sentence(file, block, "<p class=\"note\"><strong>Note:</strong> ", "</p>\n");
        break;
    case BLOCK_WARNING:
        html_sentence(file, block, "<p class=\"warning\"><strong>Warning:</strong> ", "</p>\n");
        break;
    case BLOCK_QUOTE:
        html_sentence(file, block, "<pre tabindex=\"0\">", "</pre>\n");
        break;
    case BLOCK_TABLE:
        html_table(file, block->table);
        break;
    case BLOCK_FIGURE:
        html_figure(file, block, page);
        break;
    case BLOCK_GAP:
        break;
    }
}

void document_print_html(const struct document *document, struct html_page *page, FILE *file)
{
    bool in_list = false;
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        bool is_line = block->kind == BLOCK_LINE;
        if (is_line != in_list) {
            (void)fputs(is_line ? "<ul>\n" : "</ul>\n", file);
            in_list = is_line;
        }
        html_block(file, block, page);
    }
    (void)fputs(in_list ? "</ul>\n" : "", file);
}
