#include "cli/listing.h"

#include <stdlib.h>

#include "cli/table.h"
#include "run/worker.h"
#include "common/host/text.h"

/* The caller frees. */
static char *listing_text(const json_t *value)
{
    if (json_is_array(value)) {
        struct text_list items = {0};
        size_t index;
        json_t *item;
        json_array_foreach(value, index, item)
        {
            text_list_add(&items, listing_text(item));
        }
        char *joined = text_join(&items, ", ");
        text_list_free(&items);
        return joined;
    }
    if (json_is_boolean(value)) {
        return text_format("%s", json_is_true(value) ? "yes" : "no");
    }
    return json_is_number(value) || json_is_string(value) ? worker_value_text(value)
                                                          : text_format("%s", "");
}

void listing_print(FILE *file, const struct listing_column *columns, size_t count,
                   const json_t *rows)
{
    struct table *table = table_new(count);
    for (size_t i = 0; i < count; i++) {
        table_column(table, i, columns[i].title, TABLE_LEFT);
    }
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        table_row(table);
        for (size_t i = 0; i < count; i++) {
            char *text = listing_text(json_object_get(row, columns[i].member));
            table_cell(table, i, "%s", text);
            free(text);
        }
    }
    table_print(table, file);
    table_free(table);
}
