#include "cli/base_option.h"

#include <string.h>

bool base_option_cut(const char *option, char text[BASE_OPTION_MAX], const char **backend,
                     const char **arm)
{
    size_t bytes = strlen(option) + 1;
    if (bytes == 1 || bytes > BASE_OPTION_MAX) {
        return false;
    }
    memcpy(text, option, bytes);
    /* The arm's colon follows the environment, whose values may have colons too. */
    char *brace = strrchr(text, '}');
    char *colon = strchr(brace != NULL ? brace : text, ':');
    if (colon != NULL) {
        *colon = '\0';
        *arm = colon + 1;
    }
    *backend = text;
    return text[0] != '\0' && (colon == NULL || colon[1] != '\0');
}
