/* A command's output, independent of its format: headings, lines, tables with typed cells, figures,
 * notes and warnings, in order. A document is printed as text for a terminal, as Markdown, as HTML
 * and as JSON (document_print, document_print_markdown, document_print_html, document_to_json).
 * Each printer is a file that walks the blocks.
 *
 * A cell keeps its number with unit and interval, and a verdict keeps whether it is good, so that
 * each printer can show them in its way. If memory runs out in any of these functions, the program
 * ends with a message: a document is the last thing that a command makes. One thread. */
#ifndef HEAPMILL_COMMON_HOST_DOCUMENT_H
#define HEAPMILL_COMMON_HOST_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/host/text.h"

/* ------------------------------------------------------------------------------------- tables */

/* The meaning of a cell beyond its text: a colour on a terminal. */
enum cell_style { CELL_PLAIN, CELL_GOOD, CELL_WARNING, CELL_BAD };

struct table_cell {
    char *text;   /* for people: "1.5 MiB"; NULL: empty */
    char *tail;   /* the interval, which has its own alignment: "[1.4, 1.6]"; NULL: none */
    char *exact;  /* for columns that name their unit, as in Markdown: "1.5729e+06"; NULL: text */
    json_t *json; /* the value; NULL: text */
    char *link;   /* for HTML; NULL: none */
    enum cell_style style;
};

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *member; /* its name in JSON; NULL: the title */
    char *title;        /* "": none */
    const char *unit;   /* of quantities; "": none */
    enum table_align align;
};

/* A row of the table's column_count cells. If cells is NULL, it is an empty line between rows. */
struct table_row {
    struct table_cell *cells;
    bool summary; /* it summarises other rows: a mean, a total */
};

struct table {
    const char *name; /* for JSON */
    char *caption;    /* for HTML; NULL: the name */
    bool folded;      /* for HTML: closed until the reader opens it */
    struct table_column *columns;
    size_t column_count;
    struct table_row *rows;
    size_t row_count;
};

/* Adds a column, before the first row, and returns its index. member and unit are constants; title
 * is copied. If no column has a title, no title line is printed. */
size_t table_column(struct table *table, const char *member, const char *title,
                    enum table_align align);

/* Adds a column without a member for each title. The first `left` of them are aligned on the
 * left. */
void table_columns(struct table *table, const char *const *titles, size_t count, size_t left);

/* Begins a row of empty cells. */
void table_row(struct table *table);
void table_row_summary(struct table *table);
void table_gap(struct table *table); /* an empty line between rows */

/* These fill cells of the current row. A figure of NAN gives an empty cell. */
void table_cell(struct table *table, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* format takes one double. */
void table_number(struct table *table, size_t column, const char *format, double number);
void table_count(struct table *table, size_t column, double count); /* "12 345" */
/* Scales for people: bytes to "1.5 MiB", ns from 10000 on to us; other units follow the number. The
 * unit becomes the column's. */
void table_quantity(struct table *table, size_t column, double number, const char *unit);
/* A ratio with its interval [low, high], which may be NAN. */
void table_ratio(struct table *table, size_t column, double ratio, double low, double high);
void table_style(struct table *table, size_t column, enum cell_style style);

/* Makes the cell a link in HTML: "#anchor", or a relative path. */
void table_link(struct table *table, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The text above the table in HTML, also shown while the table is folded. */
void table_caption(struct table *table, bool folded, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a row for each object of an array: texts unchanged, numbers short, arrays joined by commas,
 * missing members empty. Each column needs a member. */
void table_rows_of_json(struct table *table, const json_t *rows);

/* ------------------------------------------------------------------------------------ document */

enum block_kind {
    BLOCK_HEADING, /* level 1: of the document; level 2: of a section, whose content is indented */
    BLOCK_LINE,    /* a sentence on its own line */
    BLOCK_PARAGRAPH, /* sentences after an empty line */
    BLOCK_QUOTE,     /* output of another program */
    BLOCK_NOTE,
    BLOCK_WARNING,
    BLOCK_TABLE,
    BLOCK_FIGURE,
    BLOCK_GAP /* an empty line in text */
};

struct block {
    enum block_kind kind;
    int level;           /* of a heading */
    char *text;          /* of a figure: a description for readers who cannot see it */
    char *path;          /* of a figure: the picture's file */
    char *anchor;        /* target of links in HTML; NULL: for a heading, made from its text */
    char *link;          /* of a line, as in table_link; NULL: none */
    struct table *table; /* owned by the document */
};

struct document {
    struct block *blocks;
    size_t count;
};

struct document *document_new(void);
void document_free(struct document *document); /* NULL is fine */

void document_heading(struct document *document, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* kind is BLOCK_LINE, BLOCK_PARAGRAPH, BLOCK_QUOTE, BLOCK_NOTE or BLOCK_WARNING. */
void document_add(struct document *document, enum block_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void document_line(struct document *document, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds a line that is a link in HTML. target is as in table_link. */
void document_link(struct document *document, const char *target, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Sets the last block's anchor. HTML replaces everything but ASCII letters, digits, '-', '_' and
 * '.' by '-', also in links to it. */
void document_anchor(struct document *document, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void document_gap(struct document *document);
void document_figure(struct document *document, const char *path, const char *alternative);
struct table *document_table(struct document *document, const char *name);
/* Moves the blocks of another document to the end of this one, and frees the other. Its headings
 * become `deeper` levels deeper. */
void document_take(struct document *document, struct document *other, int deeper);

/* ------------------------------------------------------------------------------------ printers */

struct document_look {
    bool colour;
    size_t width; /* of the terminal, in columns; 0: lines are not broken */
};

/* How to print on this file: with colour and width on a terminal, but without colour if NO_COLOR
 * (no-color.org) is set and not empty. */
struct document_look document_look_of(FILE *file);

/* Prints text with two blanks between a table's columns, and no blanks at line ends. If a table is
 * too wide for the terminal, its last column is broken into lines. */
void document_print(const struct document *document, const struct document_look *look, FILE *file);

/* Prints the document on standard output as it looks there, and frees it. */
void document_show(struct document *document);

/* Prints Markdown with GitHub's tables. */
void document_print_markdown(const struct document *document, FILE *file);

/* A heading that was printed. */
struct html_heading {
    int level;
    bool has_figure; /* a picture stands below it, before the next one */
    char *anchor;
    char *text;
};

/* The common state of the documents on one page. It begins zeroed; the caller calls
 * html_page_release. */
struct html_page {
    struct html_heading *headings; /* in order, for a table of contents */
    size_t heading_count;
    struct text_list anchors; /* all anchors so far, which are distinct */
    struct text_list classes; /* of the pictures: see common/host/svg.h */
    size_t pictures;
};
void html_page_release(struct html_page *page);

/* Prints the document as a part of a page's body. A heading of level 1 becomes an h2. Each heading
 * has its own anchor. Tables have a caption, headed columns and rows; numbers are in data-v for
 * scripts. Figures are inlined SVG files; a note names one that cannot be read. All text is
 * escaped, so nothing in a document can be markup. */
void document_print_html(const struct document *document, struct html_page *page, FILE *file);

/* Prints text for HTML, between tags or within double quotes. Control characters and bytes that are
 * not UTF-8 become '?'. */
void html_text(FILE *file, const char *text);

/* {"blocks": [{"kind", "text"…}]}. A table has "columns" and "rows", an array of objects with a
 * member for each column. A new reference. */
json_t *document_to_json(const struct document *document);

/* The rows of a table. A new reference. */
json_t *table_to_json(const struct table *table);

#endif
