#include "preload/tests/leaktrack_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXTURE_FILE_BYTES_MAX = 1 << 20 };

static uint64_t fixture_next_site = 1000;

uint64_t leaktrack_fixture_new_sites(uint64_t count)
{
    fixture_next_site += count;
    return fixture_next_site - count;
}

void leaktrack_fixture_add(void *block, size_t bytes, uint64_t site)
{
    void *frames[] = {(void *)site, (void *)7}; // NOLINT(performance-no-int-to-ptr)
    leaktrack_add(block, bytes, frames, 2);
}

struct leaktrack_site *leaktrack_fixture_site(uint64_t site)
{
    for (uint32_t i = 1; i < leaktrack_books.site_count; i++) {
        if ((uint64_t)leaktrack_books.sites[i].frames[0] == site &&
            leaktrack_books.sites[i].depth == 2) {
            return &leaktrack_books.sites[i];
        }
    }
    return NULL;
}

char *leaktrack_fixture_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = file == NULL ? NULL : calloc(FIXTURE_FILE_BYTES_MAX, 1);
    if (text != NULL) {
        size_t length = fread(text, 1, FIXTURE_FILE_BYTES_MAX - 1, file);
        text[length] = '\0';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return text;
}
