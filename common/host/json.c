#include "common/host/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"

json_t *json_at(const json_t *object, const char *path)
{
    json_t *member = json_object_get(object, path);
    for (const char *dot = strchr(path, '.'); member == NULL && dot != NULL && object != NULL;
         dot = strchr(dot + 1, '.')) {
        char *name = text_format("%.*s", (int)(dot - path), path);
        const json_t *inner = json_object_get(object, name);
        free(name);
        if (json_is_object(inner)) {
            member = json_at(inner, dot + 1);
        }
    }
    return member;
}

const char *json_text_at(const json_t *object, const char *path, const char *absent)
{
    const json_t *member = json_at(object, path);
    return json_is_string(member) ? json_string_value(member) : absent;
}

double json_number_at(const json_t *object, const char *path, double absent)
{
    const json_t *member = json_at(object, path);
    return json_is_number(member) ? json_number_value(member) : absent;
}

/* A real without a fraction is a count too: programs that compute in doubles write 3.0. */
static bool json_is_count(const json_t *member, uint64_t *count)
{
    double number = json_number_value(member);
    if (!json_is_number(member) || number < 0 || number >= 18446744073709551616.0 ||
        floor(number) < number) {
        return false;
    }
    *count = json_is_integer(member) ? (uint64_t)json_integer_value(member) : (uint64_t)number;
    return true;
}

uint64_t json_count_at(const json_t *object, const char *path, uint64_t absent)
{
    uint64_t count = absent;
    return json_is_count(json_at(object, path), &count) ? count : absent;
}

bool json_bool_at(const json_t *object, const char *path, bool absent)
{
    const json_t *member = json_at(object, path);
    return json_is_boolean(member) ? json_is_true(member) : absent;
}

enum status json_read_file(const char *path, json_t **object, struct error *error)
{
    char *text;
    size_t size;
    json_error_t where;
    *object = NULL;
    enum status status = file_read(path, &text, &size, error);
    if (status != STATUS_OK) {
        return status;
    }
    json_t *read = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json_is_object(read)) {
        status =
            error_set(error, STATUS_CORRUPT, "%s line %d: %s", path, read == NULL ? where.line : 1,
                      read == NULL ? where.text : "it is no JSON object");
        json_decref(read);
        return status;
    }
    *object = read;
    return STATUS_OK;
}

enum status json_write_file(const char *path, const json_t *document, struct error *error)
{
    char *text = json_dumps(document, JSON_INDENT(1));
    if (text == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to write %s", path);
    }
    enum status status = file_replace(path, text, strlen(text), error);
    free(text);
    return status;
}

void json_print(const json_t *document)
{
    (void)json_dumpf(document, stdout, JSON_INDENT(1));
    (void)putchar('\n');
}
