#include "plots/fuzz_look.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/script_writer.h"

struct fuzz_look {
    const char *engine;
    uint32_t color;
    int marker;
};

/* Of the colours that Okabe and Ito (2008) chose to be told apart with every common colour
 * blindness; an engine without its mutator is a lighter version of itself. */
static const struct fuzz_look fuzz_looks[] = {
    {"random", 0x777777, 1},
    {"libfuzzer", 0x0b5394, 7},
    {"libfuzzer-nomutator", 0x56b4e9, 6},
    {"afl", 0xd55e00, 5},
    {"afl-nomutator", 0xe69f00, 4},
    {NULL, 0x000000, 2}, /* of an engine that is not known */
};

static const struct fuzz_look *fuzz_look_find(const char *engine)
{
    const struct fuzz_look *look = fuzz_looks;
    while (look->engine != NULL && strcmp(look->engine, engine) != 0) {
        look++;
    }
    return look;
}

void fuzz_look_write(FILE *script, const char *const *labels, const char *const *engines,
                     size_t count)
{
    static const char *const dashes[] = {"1", "2", "3", "4", "5"};
    enum { DASHES = sizeof(dashes) / sizeof(dashes[0]) };
    const char **row_dashes = text_zeroed(count, sizeof *row_dashes);
    uint32_t *colors = text_zeroed(count, sizeof *colors);
    double *markers = text_zeroed(count, sizeof *markers);
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < i; j++) {
            same += strcmp(engines[i], engines[j]) == 0;
        }
        const struct fuzz_look *look = fuzz_look_find(engines[i]);
        row_dashes[i] = dashes[same % DASHES];
        colors[i] = look->color;
        markers[i] = look->marker;
    }
    script_strings(script, "row_label", labels, count);
    script_strings(script, "row_dash", row_dashes, count);
    script_colors(script, "row_color", colors, count);
    script_numbers(script, "row_marker", markers, count);
    free(row_dashes);
    free(colors);
    free(markers);
}
