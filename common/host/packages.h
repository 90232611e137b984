/* The Debian packages that a remedy names. Their one table is scripts/packages. */
#ifndef HEAPMILL_COMMON_HOST_PACKAGES_H
#define HEAPMILL_COMMON_HOST_PACKAGES_H

/* The package that has the role (the second column of scripts/packages) on the system of this
 * build; the role itself if the table does not know it. Static; any thread. */
const char *package_named(const char *role);

/* "package version" of the Debian package that has brought the file, by its path; NULL when none
 * has, or the system has no dpkg. The caller frees. One thread: it runs dpkg-query. */
char *package_of_file(const char *path);

#endif
