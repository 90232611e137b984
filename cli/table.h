/* Prints aligned tables of text. Widths are counted in characters of UTF-8, not bytes. No colour by
 * itself: a cell's text may be given a start and an end sequence, which take no width. */
#ifndef HEAPMILL_CLI_TABLE_H
#define HEAPMILL_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };

/* columns > 0; all are left-aligned with an empty title at first. Running out of memory in any of
 * these functions ends the program with a message: a table is the last thing that a command does.
 */
struct table *table_new(size_t columns);
void table_free(struct table *table); /* NULL is fine */

/* Titles are copied. A table whose titles are all empty prints no title line. */
void table_column(struct table *table, size_t column, const char *title, enum table_align align);

/* Begins a row; its cells are empty. */
void table_row(struct table *table);

/* A line of its own across the table: a heading or a rule; text is copied. */
void table_line(struct table *table, const char *text);

/* Sets a cell of the current row, printf-like. */
void table_cell(struct table *table, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Escape sequences around a cell of the current row; constants, not copied. */
void table_cell_style(struct table *table, size_t column, const char *start, const char *end);

/* Two blanks between columns, none at the end of a line. */
void table_print(const struct table *table, FILE *file);

/* May colour be used on this file: a terminal, and NO_COLOR (no-color.org) is unset or empty. */
bool table_colour_allowed(FILE *file);

/* Columns that text takes on a terminal: UTF-8 characters; combining ones are not told apart. */
size_t table_text_width(const char *text);

#endif
