/* Finds the target of an input file. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "fuzz/campaign/owner.h"

/* Finds the target by the campaign's plan, at most four levels above the input:
 * afl/afl-0/crashes/INPUT. */
static char *owner_by_campaign(const char *path, const char **backend)
{
    static char campaign_backend[PATH_MAX];
    char *directory = text_format("%s", path);
    char *target = NULL;
    for (size_t level = 0; level < 4 && target == NULL; level++) {
        char *slash = strrchr(directory, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';
        char *file = text_format("%s/campaign.json", directory);
        json_t *plan = json_load_file(file, 0, NULL);
        if (plan != NULL) {
            target = text_format("%s", json_text_at(plan, "target", ""));
            const char *library = json_text_at(plan, "library", "");
            (void)snprintf(campaign_backend, sizeof(campaign_backend), "%s",
                           library[0] != '\0' ? library : json_text_at(plan, "backend", ""));
            *backend = *backend != NULL ? *backend : campaign_backend;
        }
        json_decref(plan);
        free(file);
    }
    free(directory);
    return target;
}

char *fuzz_owner_of(const char *input, const char **backend)
{
    char path[PATH_MAX];
    if (realpath(input, path) == NULL) {
        return NULL;
    }
    char *target = owner_by_campaign(path, backend);
    if (target == NULL) {
        char *slash = strrchr(path, '/');
        *slash = '\0';
        const char *name = strrchr(path, '/');
        char *above = text_format("%.*s", name != NULL ? (int)(name - path) : 0, path);
        const char *parent = strrchr(above, '/');
        if (name != NULL && parent != NULL &&
            (strcmp(parent, "/corpus") == 0 || strcmp(parent, "/regressions") == 0)) {
            target = text_format("%s", name + 1);
        }
        free(above);
    }
    return target;
}
