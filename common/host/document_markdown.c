/* Prints a document as GitHub's Markdown. */
#include <string.h>

#include "common/host/document.h"

/* Escapes what Markdown would take for markup in a sentence or a table cell. */
static void markdown_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|*_`<\\~[]", *text) != NULL) {
            (void)fputc('\\', file);
        }
        (void)fputc(*text == '\n' ? ' ' : *text, file);
    }
}

static bool markdown_column_is_empty(const struct table *table, size_t column)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_cell *cells = table->rows[i].cells;
        if (cells != NULL && cells[column].text != NULL && cells[column].text[0] != '\0') {
            return false;
        }
    }
    return table->columns[column].title[0] == '\0';
}

static void markdown_cell(FILE *file, const struct table_cell *cell, bool emphasis)
{
    const char *text = cell->exact != NULL ? cell->exact : cell->text;
    (void)fputs(emphasis ? " *" : " ", file);
    markdown_text(file, text != NULL ? text : "");
    if (cell->exact == NULL && cell->tail != NULL && cell->tail[0] != '\0') {
        (void)fputc(' ', file);
        markdown_text(file, cell->tail);
    }
    (void)fputs(emphasis ? "* |" : " |", file);
}

static void markdown_titles(FILE *file, const struct table *table)
{
    (void)fputc('|', file);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!markdown_column_is_empty(table, i)) {
            const char *unit = table->columns[i].unit;
            (void)fputc(' ', file);
            markdown_text(file, table->columns[i].title);
            (void)fprintf(file, "%s%s |", unit[0] != '\0' ? ", " : "", unit);
        }
    }
    (void)fputs("\n|", file);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!markdown_column_is_empty(table, i)) {
            bool right = table->columns[i].align == TABLE_RIGHT;
            (void)fputs(right ? " ---: |" : " --- |", file);
        }
    }
    (void)fputc('\n', file);
}

static void markdown_table(FILE *file, const struct table *table)
{
    markdown_titles(file, table);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->cells == NULL) {
            continue;
        }
        (void)fputc('|', file);
        for (size_t column = 0; column < table->column_count; column++) {
            if (!markdown_column_is_empty(table, column)) {
                markdown_cell(file, &row->cells[column], row->summary && column == 0);
            }
        }
        (void)fputc('\n', file);
    }
}

static void markdown_quote(FILE *file, const char *text)
{
    struct text_list lines = {0};
    text_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        (void)fprintf(file, "    %s\n", lines.items[i]);
    }
    text_list_free(&lines);
}

static void markdown_sentence(FILE *file, const char *before, const char *text)
{
    (void)fputs(before, file);
    markdown_text(file, text);
    (void)fputc('\n', file);
}

static void markdown_block(FILE *file, const struct block *block)
{
    switch (block->kind) {
    case BLOCK_HEADING:
        (void)fprintf(file, "%.*s ", block->level + 1, "######");
        markdown_sentence(file, "", block->text);
        break;
    case BLOCK_LINE:
        markdown_sentence(file, "- ", block->text);
        break;
    case BLOCK_PARAGRAPH:
        markdown_sentence(file, "", block->text);
        break;
    case BLOCK_NOTE:
        markdown_sentence(file, "> Note: ", block->text);
        break;
    case BLOCK_WARNING:
        markdown_sentence(file, "> **Warning:** ", block->text);
        break;
    case BLOCK_QUOTE:
        markdown_quote(file, block->text);
        break;
    case BLOCK_TABLE:
        markdown_table(file, block->table);
        break;
    case BLOCK_FIGURE:
        (void)fputs("![", file);
        markdown_text(file, block->text);
        (void)fprintf(file, "](<%s>)\n", block->path);
        break;
    case BLOCK_GAP:
        break;
    }
}

void document_print_markdown(const struct document *document, FILE *file)
{
    enum block_kind before = BLOCK_GAP;
    for (size_t i = 0; i < document->count; i++) {
        enum block_kind kind = document->blocks[i].kind;
        if (kind == BLOCK_GAP) {
            continue;
        }
        /* An empty line ends a block, but successive lines are one list. */
        if (before != BLOCK_GAP && !(before == BLOCK_LINE && kind == BLOCK_LINE)) {
            (void)fputc('\n', file);
        }
        markdown_block(file, &document->blocks[i]);
        before = kind;
    }
}
