#include "common/host/document.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The caller frees. */
static char *document_vformat(const char *format, va_list arguments)
{
    char *text = NULL;
    return vasprintf(&text, format, arguments) >= 0 ? text : text_format("%s", "");
}

/* ------------------------------------------------------------------------------------- tables */

size_t table_column(struct table *table, const char *member, const char *title,
                    enum table_align align)
{
    table->columns = text_grow(table->columns, table->column_count + 1, sizeof(*table->columns));
    table->columns[table->column_count] = (struct table_column){
        .member = member, .title = text_format("%s", title), .unit = "", .align = align};
    return table->column_count++;
}

void table_columns(struct table *table, const char *const *titles, size_t count, size_t left)
{
    for (size_t i = 0; i < count; i++) {
        (void)table_column(table, NULL, titles[i], i < left ? TABLE_LEFT : TABLE_RIGHT);
    }
}

static struct table_row *table_add_row(struct table *table)
{
    /* The array doubles at each power of two. */
    if ((table->row_count & (table->row_count - 1)) == 0) {
        table->rows = text_grow(table->rows, 2 * table->row_count + 1, sizeof(*table->rows));
    }
    table->rows[table->row_count] = (struct table_row){.cells = NULL};
    return &table->rows[table->row_count++];
}

void table_gap(struct table *table)
{
    (void)table_add_row(table);
}

void table_row(struct table *table)
{
    table_add_row(table)->cells = text_zeroed(table->column_count, sizeof(struct table_cell));
}

void table_row_summary(struct table *table)
{
    table_row(table);
    table->rows[table->row_count - 1].summary = true;
}

static void table_cell_free(struct table_cell *cell)
{
    free(cell->text);
    free(cell->tail);
    free(cell->exact);
    free(cell->link);
    json_decref(cell->json);
}

/* Empties a cell of the current row, and returns it. */
static struct table_cell *table_cell_at(struct table *table, size_t column)
{
    struct table_cell *cell = &table->rows[table->row_count - 1].cells[column];
    table_cell_free(cell);
    *cell = (struct table_cell){.style = cell->style};
    return cell;
}

void table_cell(struct table *table, size_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    table_cell_at(table, column)->text = document_vformat(format, arguments);
    va_end(arguments);
}

static void table_set_number(struct table_cell *cell, double number, char *text)
{
    cell->text = text;
    cell->json = number == floor(number) && fabs(number) < 1e15 ? json_integer((json_int_t)number)
                                                                : json_real(number);
}

void table_number(struct table *table, size_t column, const char *format, double number)
{
    struct table_cell *cell = table_cell_at(table, column);
    if (isfinite(number)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        table_set_number(cell, number, text_format(format, number));
#pragma GCC diagnostic pop
    }
}

void table_count(struct table *table, size_t column, double count)
{
    char text[48];
    struct table_cell *cell = table_cell_at(table, column);
    if (isfinite(count)) {
        table_set_number(cell, count, text_format("%s", text_of_count(text, sizeof(text), count)));
    }
}

void table_quantity(struct table *table, size_t column, double number, const char *unit)
{
    char text[48];
    struct table_cell *cell = table_cell_at(table, column);
    table->columns[column].unit = unit;
    if (!isfinite(number)) {
        return;
    }
    if (strcmp(unit, "bytes") == 0) {
        (void)text_of_bytes(text, sizeof(text), number, 4);
    } else if (strcmp(unit, "ns") == 0 && number >= 10000) {
        (void)snprintf(text, sizeof(text), "%.4g us", number / 1000);
    } else {
        (void)snprintf(text, sizeof(text), "%.*f%s%s", number < 100 ? 2 : 1, number,
                       unit[0] != '\0' ? " " : "", unit);
    }
    table_set_number(cell, number, text_format("%s", text));
    cell->exact = text_format("%.5g", number);
}

/* "0.62 [0.60, 0.64]" has two decimals. An interval narrower than 0.05 has three, a large ratio
 * one. */
static int ratio_decimals(double ratio, double low, double high)
{
    if (ratio >= 10) {
        return 1;
    }
    return high - low < 0.05 ? 3 : 2; /* false without an interval */
}

void table_ratio(struct table *table, size_t column, double ratio, double low, double high)
{
    struct table_cell *cell = table_cell_at(table, column);
    int decimals = ratio_decimals(ratio, low, high);
    bool has_interval = !isnan(low);
    cell->tail = has_interval ? text_format("[%.*f, %.*f]", decimals, low, decimals, high)
                              : text_format("%s", "");
    if (isnan(ratio)) {
        return;
    }
    cell->text = text_format("%.*f", decimals, ratio);
    cell->exact = has_interval ? text_format("%.3f [%.3f, %.3f]", ratio, low, high)
                               : text_format("%.3f", ratio);
    cell->json =
        json_pack("{sf so so}", "value", ratio, "low", isfinite(low) ? json_real(low) : json_null(),
                  "high", isfinite(high) ? json_real(high) : json_null());
}

void table_style(struct table *table, size_t column, enum cell_style style)
{
    table->rows[table->row_count - 1].cells[column].style = style;
}

void table_link(struct table *table, size_t column, const char *format, ...)
{
    struct table_cell *cell = &table->rows[table->row_count - 1].cells[column];
    va_list arguments;
    va_start(arguments, format);
    free(cell->link);
    cell->link = document_vformat(format, arguments);
    va_end(arguments);
}

void table_caption(struct table *table, bool folded, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    free(table->caption);
    table->caption = document_vformat(format, arguments);
    table->folded = folded;
    va_end(arguments);
}

/* The caller frees. */
static char *table_text_of_json(const json_t *value)
{
    if (json_is_array(value)) {
        struct text_list items = {0};
        size_t index;
        json_t *item;
        json_array_foreach(value, index, item)
        {
            text_list_add(&items, table_text_of_json(item));
        }
        char *joined = text_join(&items, ", ");
        text_list_free(&items);
        return joined;
    }
    if (json_is_boolean(value)) {
        return text_format("%s", json_is_true(value) ? "yes" : "no");
    }
    return json_is_number(value) || json_is_string(value) ? text_of_json(value)
                                                          : text_format("%s", "");
}

void table_rows_of_json(struct table *table, const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        table_row(table);
        for (size_t i = 0; i < table->column_count; i++) {
            json_t *value = json_object_get(row, table->columns[i].member);
            struct table_cell *cell = table_cell_at(table, i);
            cell->text = table_text_of_json(value);
            cell->json = value != NULL ? json_incref(value) : NULL;
        }
    }
}

static void table_free(struct table *table)
{
    for (size_t i = 0; i < table->row_count; i++) {
        struct table_cell *cells = table->rows[i].cells;
        for (size_t column = 0; cells != NULL && column < table->column_count; column++) {
            table_cell_free(&cells[column]);
        }
        free(cells);
    }
    for (size_t column = 0; column < table->column_count; column++) {
        free(table->columns[column].title);
    }
    free(table->rows);
    free(table->columns);
    free(table->caption);
    free(table);
}

/* ------------------------------------------------------------------------------------ document */

struct document *document_new(void)
{
    return text_zeroed(1, sizeof(struct document));
}

void document_free(struct document *document)
{
    for (size_t i = 0; document != NULL && i < document->count; i++) {
        free(document->blocks[i].text);
        free(document->blocks[i].path);
        free(document->blocks[i].anchor);
        free(document->blocks[i].link);
        if (document->blocks[i].table != NULL) {
            table_free(document->blocks[i].table);
        }
    }
    if (document != NULL) {
        free(document->blocks);
        free(document);
    }
}

static struct block *document_add_block(struct document *document, enum block_kind kind)
{
    document->blocks = text_grow(document->blocks, document->count + 1, sizeof(*document->blocks));
    document->blocks[document->count] = (struct block){.kind = kind};
    return &document->blocks[document->count++];
}

void document_heading(struct document *document, int level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct block *block = document_add_block(document, BLOCK_HEADING);
    block->level = level;
    block->text = document_vformat(format, arguments);
    va_end(arguments);
}

void document_add(struct document *document, enum block_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    document_add_block(document, kind)->text = document_vformat(format, arguments);
    va_end(arguments);
}

void document_line(struct document *document, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    document_add_block(document, BLOCK_LINE)->text = document_vformat(format, arguments);
    va_end(arguments);
}

void document_link(struct document *document, const char *target, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct block *block = document_add_block(document, BLOCK_LINE);
    block->link = text_format("%s", target);
    block->text = document_vformat(format, arguments);
    va_end(arguments);
}

void document_anchor(struct document *document, const char *format, ...)
{
    struct block *block = &document->blocks[document->count - 1];
    va_list arguments;
    va_start(arguments, format);
    free(block->anchor);
    block->anchor = document_vformat(format, arguments);
    va_end(arguments);
}

void document_gap(struct document *document)
{
    (void)document_add_block(document, BLOCK_GAP);
}

void document_figure(struct document *document, const char *path, const char *alternative)
{
    struct block *block = document_add_block(document, BLOCK_FIGURE);
    block->path = text_format("%s", path);
    block->text = text_format("%s", alternative);
}

struct table *document_table(struct document *document, const char *name)
{
    struct table *table = text_zeroed(1, sizeof(*table));
    table->name = name;
    document_add_block(document, BLOCK_TABLE)->table = table;
    return table;
}

void document_take(struct document *document, struct document *other, int deeper)
{
    for (size_t i = 0; i < other->count; i++) {
        *document_add_block(document, other->blocks[i].kind) = other->blocks[i];
        document->blocks[document->count - 1].level += deeper;
    }
    free(other->blocks);
    free(other);
}
