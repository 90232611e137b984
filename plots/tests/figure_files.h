/* Looks into the files that a figure left. Every function asserts that they are as they should be.
 */
#ifndef HEAPMILL_PLOTS_TESTS_FIGURE_FILES_H
#define HEAPMILL_PLOTS_TESTS_FIGURE_FILES_H

#include "plots/tests/sample_run.h"

#include <dirent.h>

/* The result directory whose plots/ is looked into. */
static char figure_directory[SAMPLE_PATH_MAX];

/* The whole of plots/NAME.SUFFIX in the directory with a zero after it; the caller's. */
static inline char *read_output(const char *name, const char *suffix, size_t *size)
{
    char path[2 * SAMPLE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/plots/%s.%s", figure_directory, name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("%s is not there", path);
        return NULL;
    }
    struct stat status;
    assert_int_equal(0, fstat(fileno(file), &status));
    char *bytes = calloc((size_t)status.st_size + 1, 1);
    assert_non_null(bytes);
    assert_int_equal(status.st_size, fread(bytes, 1, (size_t)status.st_size, file));
    assert_int_equal(0, fclose(file));
    if (size) {
        *size = (size_t)status.st_size;
    }
    return bytes;
}

static inline double script_variable(const char *name, const char *variable)
{
    char pattern[64];
    char *script = read_output(name, "gp", NULL);
    (void)snprintf(pattern, sizeof pattern, "\n%s = ", variable);
    const char *at = strstr(script, pattern);
    assert_non_null(at);
    double value = strtod(at + strlen(pattern), NULL);
    free(script);
    return value;
}

static inline uint32_t big_endian(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The size that the script says, times its scale, is the size that the file has. */
static inline void check_png(const char *name)
{
    size_t size;
    char *png = read_output(name, "png", &size);
    assert_true(size > 5000);
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
    double scale = script_variable(name, "png_scale");
    assert_int_equal(big_endian(png + 16), (uint32_t)(script_variable(name, "width") * scale));
    assert_int_equal(big_endian(png + 20), (uint32_t)(script_variable(name, "height") * scale));
    free(png);
}

/* Steps over the tag at text and keeps the stack of open names: the names of tags must nest.
 * Comments and the XML declaration are passed over. */
static inline const char *scan_tag(const char *text, char stack[][32], int *depth)
{
    const char *end = strncmp(text, "<!--", 4) == 0 ? strstr(text, "-->") : strchr(text, '>');
    assert_non_null(end);
    if (text[1] == '?' || text[1] == '!') {
        return end + 1;
    }
    const char *name = text + 1 + (text[1] == '/');
    size_t length = strcspn(name, " \t\r\n/>");
    assert_in_range(length, 1, 31);
    if (text[1] == '/') {
        assert_true(*depth > 0);
        (*depth)--;
        assert_int_equal(strlen(stack[*depth]), length);
        assert_memory_equal(stack[*depth], name, length);
    } else if (end[-1] != '/') {
        assert_true(*depth < 64);
        (void)snprintf(stack[(*depth)++], 32, "%.*s", (int)length, name);
    }
    return end + 1;
}

/* Tags nest and close, and what is between them has no bare '<' or '&'. */
static inline void check_svg(const char *name)
{
    char stack[64][32];
    int depth = 0;
    char *svg = read_output(name, "svg", NULL);
    for (const char *at = svg; *at;) {
        if (*at == '<') {
            at = scan_tag(at, stack, &depth);
            continue;
        }
        if (*at == '&') {
            size_t length = strspn(at + 1, "#abcdefghijklmnopqrstuvwxyz0123456789");
            assert_true(length > 0 && at[1 + length] == ';');
        }
        at++;
    }
    assert_int_equal(depth, 0);
    free(svg);
}

/* Times that text is in the SVG as a text of its own. */
static inline int count_texts(const char *name, const char *text)
{
    char pattern[256];
    char *svg = read_output(name, "svg", NULL);
    (void)snprintf(pattern, sizeof pattern, "<text>%s</text>", text);
    int count = 0;
    for (const char *at = strstr(svg, pattern); at; at = strstr(at + 1, pattern)) {
        count++;
    }
    free(svg);
    return count;
}

static inline int count_lines_with(const char *name, const char *text)
{
    int count = 0;
    char *rest;
    char *table = read_output(name, "tsv", NULL);
    for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        count += line[0] != '#' && strstr(line, text) != NULL;
    }
    free(table);
    return count;
}

static inline int count_leftovers(void)
{
    char path[SAMPLE_PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/plots", figure_directory);
    DIR *handle = opendir(path);
    assert_non_null(handle);
    int count = 0;
    for (struct dirent *entry = readdir(handle); entry; entry = readdir(handle)) {
        count += strstr(entry->d_name, ".tmp") != NULL;
    }
    (void)closedir(handle);
    return count;
}

#endif
