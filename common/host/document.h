/* What a command has to say, before it is decided how: headings, lines, tables with typed cells,
 * figures, notes and warnings, in order. The same document prints as text for a terminal, as
 * Markdown and as JSON (document_print, document_print_markdown, document_to_json); a printer is a
 * file of its own that walks the blocks.
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
void document_gap(struct document *document);
void document_figure(struct document *document, const char *path, const char *alternative);
struct table *document_table(struct document *document, const char *name);

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

/* {"blocks": [{"kind", "text"…}]}; a table has "columns" and "rows", an array of objects with a
 * member for each column. The caller's. */
json_t *document_to_json(const struct document *document);

/* A table's rows alone. The caller's. */
json_t *table_to_json(const struct table *table);

#endif
