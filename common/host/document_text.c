/* Prints a document as text. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/host/document.h"

enum {
    TEXT_COLUMN_GAP = 2,
    TEXT_INDENT = 2,
    TEXT_LAST_COLUMN_MIN = 24 /* a narrower column is harder to read than a long line */
};

/* The parts of a column. */
struct text_column {
    size_t width;
    size_t tail;
    bool has_tail;
};

/* The state of the printer. */
struct text_page {
    const struct document_look *look;
    FILE *file;
    int level; /* of the last heading; 0: none so far */
};

struct document_look document_look_of(FILE *file)
{
    const char *refused = getenv("NO_COLOR");
    bool terminal = isatty(fileno(file)) == 1;
    struct winsize size = {.ws_col = 0};
    struct document_look look = {.colour = terminal && (refused == NULL || refused[0] == '\0')};
    if (terminal && ioctl(fileno(file), TIOCGWINSZ, &size) == 0) {
        look.width = size.ws_col;
    }
    return look;
}

static const char *text_style(const struct text_page *page, enum cell_style style)
{
    static const char *const starts[] = {[CELL_PLAIN] = "",
                                         [CELL_GOOD] = "\033[32m",
                                         [CELL_WARNING] = "\033[33m",
                                         [CELL_BAD] = "\033[31m"};
    return page->look->colour ? starts[style] : "";
}

static void text_print_styled(const struct text_page *page, const char *text, size_t blanks,
                              enum cell_style style)
{
    const char *start = text_style(page, style);
    (void)fprintf(page->file, "%*s%s%s%s", (int)blanks, "", start, text,
                  start[0] != '\0' ? "\033[0m" : "");
}

/* ------------------------------------------------------------------------------------- tables */

static const char *text_or_none(const char *text)
{
    return text != NULL ? text : "";
}

static size_t text_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct text_column *text_measure(const struct table *table)
{
    struct text_column *widths = text_zeroed(table->column_count, sizeof(*widths));
    for (size_t column = 0; column < table->column_count; column++) {
        widths[column].width = text_width(table->columns[column].title);
        for (size_t i = 0; i < table->row_count; i++) {
            const struct table_cell *cells = table->rows[i].cells;
            if (cells != NULL) {
                widths[column].width =
                    text_max(widths[column].width, text_width(text_or_none(cells[column].text)));
                widths[column].tail =
                    text_max(widths[column].tail, text_width(text_or_none(cells[column].tail)));
                widths[column].has_tail = widths[column].has_tail || cells[column].tail != NULL;
            }
        }
    }
    return widths;
}

/* The width that the terminal leaves for the last column; 0: it need not be broken. *start is the
 * column's beginning. */
static size_t text_last_width(const struct text_page *page, const struct table *table,
                              const struct text_column *widths, size_t indent, size_t *start)
{
    size_t last = table->column_count - 1;
    *start = indent;
    for (size_t column = 0; column < last; column++) {
        *start += widths[column].width + TEXT_COLUMN_GAP;
        *start += widths[column].has_tail ? widths[column].tail + TEXT_COLUMN_GAP : 0;
    }
    bool fits = page->look->width == 0 || *start + widths[last].width <= page->look->width;
    bool breaks = table->columns[last].align == TABLE_LEFT && !widths[last].has_tail &&
                  page->look->width >= *start + TEXT_LAST_COLUMN_MIN;
    return fits || !breaks ? 0 : page->look->width - *start;
}

/* Breaks the last column's text into lines. Returns the first one, which the caller frees, and adds
 * the others to rest. */
static char *text_break(const char *text, size_t width, struct text_list *rest)
{
    struct text_list lines = {0};
    text_wrap(&lines, text, width);
    char *first = text_format("%s", lines.count > 0 ? lines.items[0] : "");
    for (size_t i = 1; i < lines.count; i++) {
        text_list_add(rest, text_format("%s", lines.items[i]));
    }
    text_list_free(&lines);
    return first;
}

/* Prints one line of cells. Blanks wait in `pending` until text follows, so that no line ends with
 * blanks. last_width: of the last column, or 0. */
static void text_print_row(const struct text_page *page, const struct table *table,
                           const struct text_column *widths, const struct table_cell *cells,
                           size_t indent, size_t last_width, struct text_list *rest)
{
    size_t pending = indent;
    for (size_t column = 0; column < table->column_count; column++) {
        bool breaks = last_width > 0 && column + 1 == table->column_count;
        char *first =
            breaks ? text_break(text_or_none(cells[column].text), last_width, rest) : NULL;
        const char *text = breaks ? first : text_or_none(cells[column].text);
        const char *tail = text_or_none(cells[column].tail);
        size_t width = text_width(text);
        size_t padding = breaks ? 0 : widths[column].width - width;
        bool right = table->columns[column].align == TABLE_RIGHT;
        pending += right ? padding : 0;
        if (width > 0) {
            text_print_styled(page, text, pending, cells[column].style);
            pending = 0;
        }
        pending += (right ? 0 : padding) + TEXT_COLUMN_GAP;
        if (tail[0] != '\0') {
            text_print_styled(page, tail, pending, cells[column].style);
            pending = 0;
        }
        if (widths[column].has_tail) {
            pending += widths[column].tail - text_width(tail) + TEXT_COLUMN_GAP;
        }
        free(first);
    }
    (void)fputc('\n', page->file);
}

static void text_print_titles(const struct text_page *page, const struct table *table,
                              const struct text_column *widths, size_t indent)
{
    struct table_cell *titles = text_zeroed(table->column_count, sizeof(*titles));
    bool any = false;
    for (size_t column = 0; column < table->column_count; column++) {
        titles[column].text = table->columns[column].title;
        any = any || titles[column].text[0] != '\0';
    }
    if (any) {
        text_print_row(page, table, widths, titles, indent, 0, NULL);
    }
    free(titles);
}

static void text_print_table(const struct text_page *page, const struct table *table)
{
    size_t indent = page->level > 1 ? TEXT_INDENT : 0;
    size_t start = 0;
    if (table->column_count == 0) {
        return;
    }
    struct text_column *widths = text_measure(table);
    size_t last_width = text_last_width(page, table, widths, indent, &start);
    text_print_titles(page, table, widths, indent);
    for (size_t i = 0; i < table->row_count; i++) {
        struct text_list rest = {0};
        if (table->rows[i].cells == NULL) {
            (void)fputc('\n', page->file);
            continue;
        }
        text_print_row(page, table, widths, table->rows[i].cells, indent, last_width, &rest);
        for (size_t line = 0; line < rest.count; line++) {
            (void)fprintf(page->file, "%*s%s\n", (int)start, "", rest.items[line]);
        }
        text_list_free(&rest);
    }
    free(widths);
}

/* ------------------------------------------------------------------------------------- blocks */

/* Prints each line of the text after `before`, broken at the terminal's width. */
static void text_print_lines(const struct text_page *page, const char *before, const char *text)
{
    struct text_list lines = {0};
    size_t prefix = text_width(before);
    text_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        struct text_list parts = {0};
        size_t width = page->look->width;
        if (width > prefix + TEXT_LAST_COLUMN_MIN && text_width(lines.items[i]) + prefix > width) {
            text_wrap(&parts, lines.items[i], width - prefix);
        } else {
            text_list_add(&parts, text_format("%s", lines.items[i]));
        }
        for (size_t part = 0; part < parts.count; part++) {
            (void)fprintf(page->file, "%s%s\n", before, parts.items[part]);
        }
        text_list_free(&parts);
    }
    text_list_free(&lines);
}

static void text_print_block(struct text_page *page, const struct block *block, bool first)
{
    const char *indent = page->level > 0 ? "  " : "";
    switch (block->kind) {
    case BLOCK_HEADING:
        page->level = block->level;
        (void)fprintf(page->file, "%s%s\n", first ? "" : "\n", block->text);
        break;
    case BLOCK_LINE:
        text_print_lines(page, indent, block->text);
        break;
    case BLOCK_PARAGRAPH:
        (void)fputs(first ? "" : "\n", page->file);
        text_print_lines(page, "", block->text);
        break;
    case BLOCK_QUOTE:
        text_print_lines(page, page->level > 0 ? "    | " : "| ", block->text);
        break;
    case BLOCK_NOTE:
    case BLOCK_WARNING:
        (void)fputs(indent, page->file);
        text_print_styled(page, block->kind == BLOCK_NOTE ? "note: " : "warning: ", 0,
                          block->kind == BLOCK_NOTE ? CELL_PLAIN : CELL_WARNING);
        (void)fprintf(page->file, "%s\n", block->text);
        break;
    case BLOCK_TABLE:
        text_print_table(page, block->table);
        break;
    case BLOCK_FIGURE:
        (void)fprintf(page->file, "%s%s: %s\n", indent, block->path, block->text);
        break;
    case BLOCK_GAP:
        (void)fputc('\n', page->file);
        break;
    }
}

void document_print(const struct document *document, const struct document_look *look, FILE *file)
{
    struct text_page page = {.look = look, .file = file};
    for (size_t i = 0; i < document->count; i++) {
        text_print_block(&page, &document->blocks[i], i == 0);
    }
}

void document_show(struct document *document)
{
    struct document_look look = document_look_of(stdout);
    document_print(document, &look, stdout);
    document_free(document);
}
