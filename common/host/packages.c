#include "common/host/packages.h"

#include <stddef.h>
#include <string.h>

#include "heapmill_packages.h" /* written by CMake: package_rows */

const char *package_named(const char *role)
{
    for (size_t i = 0; package_rows[i][0] != NULL; i++) {
        if (strcmp(package_rows[i][0], role) == 0) {
            return package_rows[i][1];
        }
    }
    return role;
}
