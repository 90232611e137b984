/* Lists what differs between two runs beside what they measured, as sentences that a reader of the
 * comparison must see. */
#include <string.h>

#include "results/compare/parts.h"

enum { DIFFERENCE_TEXT_MAX = 200 };

static void difference_add(json_t *list, json_t *sentence)
{
    (void)json_array_append_new(list, sentence);
}

/* Writes a member as text; "unknown" if there is none. */
static void difference_text(char text[DIFFERENCE_TEXT_MAX], const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value)) {
        (void)snprintf(text, DIFFERENCE_TEXT_MAX, "%s", json_string_value(value));
    } else if (json_is_number(value)) {
        (void)snprintf(text, DIFFERENCE_TEXT_MAX, "%.15g", json_number_value(value));
    } else {
        (void)snprintf(text, DIFFERENCE_TEXT_MAX, "unknown");
    }
}

static void difference_compare(json_t *list, const char *what, const json_t *old, const json_t *new,
                               const char *name)
{
    char before[DIFFERENCE_TEXT_MAX];
    char after[DIFFERENCE_TEXT_MAX];
    difference_text(before, old, name);
    difference_text(after, new, name);
    if (strcmp(before, after) != 0) {
        difference_add(list, json_sprintf("%s: %s, then %s", what, before, after));
    }
}

static void difference_hosts(json_t *list, const struct record_set *old,
                             const struct record_set *new)
{
    static const char *const members[][2] = {{"hostname", "host"},
                                             {"cpu", "CPU"},
                                             {"cores", "cores"},
                                             {"memory_bytes", "memory in bytes"},
                                             {"kernel", "kernel"},
                                             {"thp", "huge pages"},
                                             {"aslr", "address randomisation"},
                                             {"governor", "governor"},
                                             {"libc", "libc"},
                                             {"heapmill", "heapmill"}};
    const json_t *before = json_object_get(old->plan, "host");
    const json_t *after = json_object_get(new->plan, "host");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        difference_compare(list, members[i][1], before, after, members[i][0]);
    }
}

/* The first ok record of a pass of a run, with all members; NULL: none. A new reference. */
static json_t *difference_record(const struct record_set *set)
{
    json_t *json = NULL;
    struct error error;
    for (size_t i = 0; i < set->record_count; i++) {
        if (set->records[i].status == RECORD_OK &&
            record_set_read(set, i, &json, &error) == STATUS_OK) {
            return json;
        }
    }
    return NULL;
}

static void difference_builds(json_t *list, const struct record_set *old,
                              const struct record_set *new)
{
    json_t *before = difference_record(old);
    json_t *after = difference_record(new);
    if (before != NULL && after != NULL) {
        difference_compare(list, "compiler", before, after, "compiler");
        difference_compare(list, "compiler flags", before, after, "flags");
    }
    json_decref(before);
    json_decref(after);
}

/* The number of cells of `set` that `other` does not have, without twins. */
static size_t difference_absent(const struct record_set *set, const struct record_set *other)
{
    size_t absent = 0;
    for (size_t i = 0; i < set->cell_count; i++) {
        absent += set->cells[i].twin == 0 &&
                  record_set_find_cell(other, set->cells[i].id) == other->cell_count;
    }
    return absent;
}

/* Do the cells, twins excepted, run for different lengths in the compared pass? */
static bool difference_in_length(const struct record_set *old, const struct record_cell *cell,
                                 const char *member)
{
    size_t same = record_set_find_cell(old, cell->id);
    const json_t *iterations = json_object_get(cell->plan, member);
    return cell->twin == 0 && same < old->cell_count && iterations != NULL &&
           !json_equal(iterations, json_object_get(old->cells[same].plan, member));
}

static void difference_cells(json_t *list, const struct record_set *old,
                             const struct record_set *new, enum record_pass pass)
{
    const char *member = pass == RECORD_INSTRUCTIONS ? "instruction_iterations" : "iterations";
    size_t gone = difference_absent(old, new);
    size_t added = difference_absent(new, old);
    size_t iterations = 0;
    if (gone > 0) {
        difference_add(list,
                       json_sprintf("cells only in %s: %zu, not compared", old->directory, gone));
    }
    if (added > 0) {
        difference_add(list,
                       json_sprintf("cells only in %s: %zu, not compared", new->directory, added));
    }
    for (size_t i = 0; i < new->cell_count; i++) {
        iterations += difference_in_length(old, &new->cells[i], member);
    }
    if (iterations > 0) {
        difference_add(
            list, json_sprintf("cells with different numbers of iterations: %zu; their figures "
                               "that grow with a run's length, such as memory, cannot be compared",
                               iterations));
    }
}

json_t *comparison_list_differences(const struct record_set *base_set, const struct record_set *set,
                                    enum record_pass pass)
{
    json_t *list = json_array();
    if (list != NULL) {
        difference_hosts(list, base_set, set);
        difference_builds(list, base_set, set);
        difference_cells(list, base_set, set, pass);
    }
    return list;
}
