#include "cli/shared_options.h"

#include <string.h>

#include "plots/gnuplot.h"

const char *const shared_pictures[] = {"svg", "png", NULL};
const char *const shared_engine_hosts[] = {"local", "slurm", NULL};
_Static_assert(PICTURE_SVG == 1 && PICTURE_PNG == 2, "the words are in the order of the bits");

enum status base_option_take(void *base, const char *text, struct error *error)
{
    struct base_option *option = base;
    size_t bytes = strlen(text) + 1;
    if (bytes > sizeof(option->text)) {
        return error_set(error, STATUS_INVALID, "it is too long for the name of a back end");
    }
    memcpy(option->text, text, bytes);
    /* The arm's colon follows the environment, whose values may have colons too. */
    char *brace = strrchr(option->text, '}');
    char *colon = strchr(brace != NULL ? brace : option->text, ':');
    if (colon != NULL) {
        *colon = '\0';
    }
    option->arm = colon != NULL ? colon + 1 : NULL;
    option->backend = option->text;
    if (option->text[0] == '\0' || (colon != NULL && colon[1] == '\0')) {
        return error_set(error, STATUS_INVALID, "it wants BACKEND or BACKEND:ARM");
    }
    return STATUS_OK;
}
