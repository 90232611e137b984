/* What a command has to say, before it is decided how: headings, lines, tables with typed cells,
 * figures, notes and warnings, in order. The same document prints as text for a terminal, as
 * Markdown, as HTML and as JSON (document_print, document_print_markdown, document_print_html,
 * document_to_json); a printer is a file of its own that walks the blocks.
 *
 * A cell keeps its number with unit and interval, and a verdict keeps whether it is good, so that
 * each printer shows them its way. Running out of memory in any of these functions ends the program
 * with a message: a document is the last thing that a command makes. One thread. */
#ifndef HEAPMILL_COMMON_HOST_DOCUMENT_H
#define HEAPMILL_COMMON_HOST_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/host/text.h"

/* ------------------------------------------------------------------------------------- tables */

/* What a cell means beyond its text: a colour on a terminal. */
enum cell_style { CELL_PLAIN, CELL_GOOD, CELL_WARNING, CELL_BAD };

struct table_cell {
    char *text;   /* for people: "1.5 MiB"; NULL: empty */
    char *tail;   /* its interval, aligned on its own: "[1.4, 1.6]"; NULL: it can have none */
    char *exact;  /* where a column names its unit, as in Markdown: "1.5729e+06"; NULL: text */
    json_t *json; /* the value; NULL: text */
    char *link;   /* in HTML; NULL: none */
    enum cell_style style;
};

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *member; /* its name in JSON; NULL: the title */
    char *title;        /* "": none */
    const char *unit;   /* of quantities; "" for none */
    enum table_align align;
};

/* Of a table's column_count cells; or, if cells is NULL, an empty line between rows. */
struct table_row {
    struct table_cell *cells;
    bool summary; /* over other rows: a mean, a total */
};

struct table {
    const char *name; /* in JSON */
    char *caption;    /* in HTML; NULL: the name */
    bool folded;      /* in HTML: closed until the reader opens it */
    struct table_column *columns;
    size_t column_count;
    struct table_row *rows;
    size_t row_count;
};

/* Adds a column; before the first row. Its index. member and unit are constants, title is copied.
 * Columns without any title print no title line. */
size_t table_column(struct table *table, const char *member, const char *title,
                    enum table_align align);

/* A column without a member for each title, the first `left` of them aligned on the left. */
void table_columns(struct table *table, const char *const *titles, size_t count, size_t left);

/* Begins a row; its cells are empty. */
void table_row(struct table *table);
void table_row_summary(struct table *table);
void table_gap(struct table *table); /* an empty line between rows */

/* Cells of the current row. Figures that are NAN make an empty cell. */
void table_cell(struct table *table, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* With a format of one double. */
void table_number(struct table *table, size_t column, const char *format, double number);
void table_count(struct table *table, size_t column, double count); /* "12 345" */
/* Scaled for people: bytes to "1.5 MiB", ns from 10000 on to us; others with the unit behind. The
 * column's unit becomes this one. */
void table_quantity(struct table *table, size_t column, double number, const char *unit);
/* A ratio with its interval, [low, high] or NAN. */
void table_ratio(struct table *table, size_t column, double ratio, double low, double high);
void table_style(struct table *table, size_t column, enum cell_style style);

/* HTML makes the cell a link: "#anchor", or a relative path. */
void table_link(struct table *table, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What HTML says above the table, or in its place while it is folded. */
void table_caption(struct table *table, bool folded, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Rows from an array of objects: texts as they are, numbers short, arrays joined by commas, missing
 * members empty. Each column needs a member. */
void table_rows_of_json(struct table *table, const json_t *rows);

/* ------------------------------------------------------------------------------------ document */

enum block_kind {
    BLOCK_HEADING,   /* level 1: of the whole; level 2: of a section, whose content is indented */
    BLOCK_LINE,      /* a sentence of its own line */
    BLOCK_PARAGRAPH, /* sentences after an empty line */
    BLOCK_QUOTE,     /* lines that another program said */
    BLOCK_NOTE,
    BLOCK_WARNING,
    BLOCK_TABLE,
    BLOCK_FIGURE,
    BLOCK_GAP /* an empty line of text */
};

struct block {
    enum block_kind kind;
    int level;           /* of a heading */
    char *text;          /* of a figure: what it shows, for who cannot see it */
    char *path;          /* of a figure: the picture's file */
    char *anchor;        /* what links lead to in HTML; NULL: of a heading, made from its text */
    char *link;          /* of a line, as table_link's; NULL: none */
    struct table *table; /* the document's */
};

struct document {
    struct block *blocks;
    size_t count;
};

struct document *document_new(void);
void document_free(struct document *document); /* NULL is fine */

void document_heading(struct document *document, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* BLOCK_LINE, BLOCK_PARAGRAPH, BLOCK_QUOTE, BLOCK_NOTE or BLOCK_WARNING. */
void document_add(struct document *document, enum block_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void document_line(struct document *document, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A line that is a link in HTML; target as for table_link. */
void document_link(struct document *document, const char *target, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The last block's anchor. HTML makes '-' of all but ASCII letters, digits, '-', '_' and '.', in
 * links to it too. */
void document_anchor(struct document *document, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void document_gap(struct document *document);
void document_figure(struct document *document, const char *path, const char *alternative);
struct table *document_table(struct document *document, const char *name);
/* Moves the blocks of another document to the end of this one, and frees the other. Headings get
 * `deeper` levels more. */
void document_take(struct document *document, struct document *other, int deeper);

/* ------------------------------------------------------------------------------------ printers */

struct document_look {
    bool colour;
    size_t width; /* of the terminal, in columns; 0: lines are not broken */
};

/* How a document looks on this file: colour and width on a terminal, but no colour where NO_COLOR
 * (no-color.org) is set and not empty. */
struct document_look document_look_of(FILE *file);

/* Two blanks between a table's columns, none at the end of a line. Where a table is too wide for
 * the terminal, its last column is broken into lines. */
void document_print(const struct document *document, const struct document_look *look, FILE *file);

/* Prints it on standard output as it looks there, and frees it. */
void document_show(struct document *document);

/* The tables are GitHub's. */
void document_print_markdown(const struct document *document, FILE *file);

/* A heading as it was printed. */
struct html_heading {
    int level;
    char *anchor;
    char *text;
};

/* What the documents of one page share. All zero at first; html_page_release. */
struct html_page {
    struct html_heading *headings; /* in order, for a list of contents */
    size_t heading_count;
    struct text_list anchors; /* given so far: no two are alike */
    struct text_list classes; /* of the pictures: common/host/svg.h */
    size_t pictures;
};
void html_page_release(struct html_page *page);

/* Prints the document as a part of a page's body. A heading of level 1 is an h2; each has an anchor
 * of its own. Tables have a caption, headed columns and rows; numbers are in data-v for scripts.
 * Figures are SVG files, inlined; one that cannot be read is named in a note. All text is escaped:
 * nothing in a document can be markup. */
void document_print_html(const struct document *document, struct html_page *page, FILE *file);

/* Text as HTML's, for between tags and within double quotes. Control characters and bytes that are
 * not UTF-8 become '?'. */
void html_text(FILE *file, const char *text);

/* {"blocks": [{"kind", "text"…}]}; a table has "columns" and "rows", an array of objects with a
 * member for each column. The caller's. */
json_t *document_to_json(const struct document *document);

/* A table's rows alone. The caller's. */
json_t *table_to_json(const struct table *table);

#endif
