#include "results/name_filter.h"

#include <fnmatch.h>
#include <string.h>

enum { NAME_FILTER_GLOB_MAX = 512 };

bool name_filter_next(const char **rest, const char **item, size_t *length)
{
    const char *start = *rest;
    if (start == NULL) {
        return false;
    }
    const char *end = start;
    for (int depth = 0; *end != '\0' && (*end != ',' || depth > 0); end++) {
        if (*end == '{') {
            depth++;
        } else if (*end == '}' && depth > 0) {
            depth--;
        }
    }
    *rest = *end == ',' ? end + 1 : NULL;
    while (start < end && *start == ' ') {
        start++;
    }
    while (start < end && end[-1] == ' ') {
        end--;
    }
    *item = start;
    *length = (size_t)(end - start);
    return true;
}

static bool name_filter_glob_matches(const char *glob, const char *name)
{
    if (fnmatch(glob, name, 0) == 0) {
        return true;
    }
    char bare[NAME_FILTER_GLOB_MAX];
    const char *brace = strchr(name, '{');
    if (brace == NULL || strchr(glob, '{') != NULL || (size_t)(brace - name) >= sizeof(bare)) {
        return false;
    }
    size_t length = (size_t)(brace - name);
    memcpy(bare, name, length);
    bare[length] = '\0';
    return fnmatch(glob, bare, 0) == 0;
}

static bool name_filter_glob_matches_any(const char *glob, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (name_filter_glob_matches(glob, names[i])) {
            return true;
        }
    }
    return false;
}

bool name_filter_matches_any(const char *filter, const char *const *names, size_t count)
{
    if (filter == NULL || filter[0] == '\0') {
        return true;
    }
    bool asked_for_some = false;
    bool wanted = false;
    const char *item;
    size_t length;
    while (name_filter_next(&filter, &item, &length)) {
        char glob[NAME_FILTER_GLOB_MAX];
        if (length == 0 || length >= sizeof(glob)) {
            continue;
        }
        memcpy(glob, item, length);
        glob[length] = '\0';
        if (glob[0] == '!') {
            if (name_filter_glob_matches_any(glob + 1, names, count)) {
                return false;
            }
            continue;
        }
        asked_for_some = true;
        wanted = wanted || name_filter_glob_matches_any(glob, names, count);
    }
    return wanted || !asked_for_some;
}

bool name_filter_matches(const char *filter, const char *name)
{
    return name_filter_matches_any(filter, &name, 1);
}
