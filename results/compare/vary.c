/* Each cell against the cell of the same back end in which one parameter has another value: what
 * the parameter costs, and not who is better. */
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"

enum { VARY_ID_MAX = 1024 };

/* Where "NAME=" of vary begins a parameter in the text; NULL: there is none of that name. */
static const char *vary_find(const char *params, const char *vary)
{
    size_t name = strcspn(vary, "=") + 1;
    const char *at = params;
    while (at[0] != '\0' && strncmp(at, vary, name) != 0) {
        at += strcspn(at, ",");
        at += at[0] == ',';
    }
    return at[0] != '\0' ? at : NULL;
}

/* The index of the cell's base: cell_count if it has none, or is one. */
static size_t vary_base(const struct record_set *set, size_t index, const char *vary)
{
    const struct record_cell *cell = &set->cells[index];
    const char *at = vary_find(cell->params_text, vary);
    if (at == NULL || cell->twin != 0) {
        return set->cell_count;
    }
    char id[VARY_ID_MAX];
    int length = snprintf(id, sizeof(id), "%s/%.*s%s%s/t%u/%s", cell->workload,
                          (int)(at - cell->params_text), cell->params_text, vary,
                          at + strcspn(at, ","), cell->threads, cell->label);
    if (length < 0 || (size_t)length >= sizeof(id)) {
        return set->cell_count;
    }
    size_t base = record_set_find_cell(set, id);
    return base != index ? base : set->cell_count;
}

enum status comparison_vary_bases(const struct comparison *comparison, size_t **bases,
                                  struct error *error)
{
    const struct record_set *set = comparison->set;
    size_t found = 0;
    *bases = calloc(set->cell_count + 1, sizeof(**bases));
    if (*bases == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the bases");
    }
    for (size_t i = 0; i < set->cell_count; i++) {
        (*bases)[i] = vary_base(set, i, comparison->vary);
        found += (*bases)[i] < set->cell_count;
    }
    return found > 0
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND,
                           "no cell of %s has another one beside it that differs in %s alone: run "
                           "both values, as in bench -p NAME=VALUE,VALUE, and give one of them as "
                           "the cells' ids have it",
                           set->directory, comparison->vary);
}
