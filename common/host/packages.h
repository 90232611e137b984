/* The Debian packages that a remedy names. Their one table is scripts/packages. */
#ifndef HEAPMILL_COMMON_HOST_PACKAGES_H
#define HEAPMILL_COMMON_HOST_PACKAGES_H

/* The package for a role (the second column of scripts/packages) on the system of this build; the
 * role itself if it is not in the table. Static; any thread. */
const char *package_named(const char *role);

/* "package version" of the Debian package that owns the file at path; NULL: there is none, or the
 * system has no dpkg. The caller frees. One thread: it runs dpkg-query. */
char *package_of_file(const char *path);

#endif
