/* Prints a document as JSON, with numbers for the figures in the text. */
#include "common/host/document.h"

static const char *const json_kinds[] = {
    [BLOCK_HEADING] = "heading", [BLOCK_LINE] = "line",    [BLOCK_PARAGRAPH] = "paragraph",
    [BLOCK_QUOTE] = "quote",     [BLOCK_NOTE] = "note",    [BLOCK_WARNING] = "warning",
    [BLOCK_TABLE] = "table",     [BLOCK_FIGURE] = "figure"};

static const char *json_member(const struct table_column *column)
{
    return column->member != NULL ? column->member : column->title;
}

json_t *table_to_json(const struct table *table)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_cell *cells = table->rows[i].cells;
        if (cells == NULL) {
            continue;
        }
        json_t *row = json_object();
        for (size_t column = 0; column < table->column_count; column++) {
            const struct table_cell *cell = &cells[column];
            json_t *value = cell->json != NULL   ? json_incref(cell->json)
                            : cell->text != NULL ? json_string(cell->text)
                                                 : json_null();
            (void)json_object_set_new(row, json_member(&table->columns[column]), value);
        }
        if (table->rows[i].summary) {
            (void)json_object_set_new(row, "summary", json_true());
        }
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *json_columns(const struct table *table)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < table->column_count; i++) {
        const struct table_column *column = &table->columns[i];
        (void)json_array_append_new(columns,
                                    json_pack("{ss ss ss}", "name", json_member(column), "title",
                                              column->title, "unit", column->unit));
    }
    return columns;
}

json_t *document_to_json(const struct document *document)
{
    json_t *blocks = json_array();
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        if (block->kind == BLOCK_GAP) {
            continue;
        }
        json_t *json = json_pack("{ss}", "kind", json_kinds[block->kind]);
        if (block->text != NULL) {
            (void)json_object_set_new(json, "text", json_string(block->text));
        }
        if (block->kind == BLOCK_HEADING) {
            (void)json_object_set_new(json, "level", json_integer(block->level));
        }
        if (block->path != NULL) {
            (void)json_object_set_new(json, "path", json_string(block->path));
        }
        if (block->table != NULL) {
            (void)json_object_set_new(json, "name", json_string(block->table->name));
            (void)json_object_set_new(json, "columns", json_columns(block->table));
            (void)json_object_set_new(json, "rows", table_to_json(block->table));
        }
        (void)json_array_append_new(blocks, json);
    }
    return json_pack("{so}", "blocks", blocks);
}
