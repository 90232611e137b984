/* A directory for the files of one test program: a setup and a teardown for cmocka's groups. */
#ifndef HEAPMILL_COMMON_TESTS_TEST_DIRECTORY_H
#define HEAPMILL_COMMON_TESTS_TEST_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>

static char directory[] = "/tmp/heapmill-test-XXXXXX";

static inline int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL;
}

static inline int remove_directory(void **state)
{
    (void)state;
    char command[sizeof(directory) + 16];
    (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

#endif
