#include "common/host/packages.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/process.h"
#include "common/host/text.h"
#include "heapmill_packages.h" /* written by CMake: package_rows */

static const double PACKAGES_TIMEOUT_S = 10;

const char *package_named(const char *role)
{
    for (size_t i = 0; package_rows[i][0] != NULL; i++) {
        if (strcmp(package_rows[i][0], role) == 0) {
            return package_rows[i][1];
        }
    }
    return role;
}

/* The output of dpkg-query for the option and its argument, up to the first character of ends;
 * NULL: it failed. The caller frees. */
static char *packages_query(const char *option, const char *argument, const char *ends)
{
    const char *const arguments[] = {"/usr/bin/dpkg-query", option, argument, NULL};
    const char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};
    struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = PACKAGES_TIMEOUT_S};
    struct process_result result;
    char *answer = NULL;
    if (process_run(&request, &result, NULL) == STATUS_OK && result.exit_code == 0 &&
        result.signal == 0) {
        answer = text_format("%.*s", (int)strcspn(result.output, ends), result.output);
    }
    process_result_free(&result);
    return answer;
}

char *package_of_file(const char *path)
{
    /* Of several packages, as in "libjemalloc2:amd64: /usr/lib/…" for a diversion, the first is
     * taken. */
    char *package = packages_query("-S", path, ":,");
    char *answer =
        package == NULL ? NULL : packages_query("-Wf${Package} ${Version}\n", package, "\n");
    free(package);
    return answer;
}
