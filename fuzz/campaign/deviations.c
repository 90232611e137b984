#include "fuzz/campaign/deviations.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/text.h"

static const char *const deviation_severities[FUZZ_SEVERITIES] = {"manners", "results", "memory"};

bool fuzz_program_records(const struct fuzz_program *program)
{
    return strcmp(program->target, "malloc_abi") == 0;
}

static int deviation_compare(const void *left, const void *right)
{
    const struct fuzz_deviation *a = left;
    const struct fuzz_deviation *b = right;
    return a->severity != b->severity ? (a->severity < b->severity ? 1 : -1)
                                      : strcmp(a->key, b->key);
}

enum status fuzz_deviations_read(const char *directory, struct fuzz_deviations *deviations,
                                 struct error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    char *path = text_format("%s/deviations", directory);
    *deviations = (struct fuzz_deviations){.records = NULL};
    enum status status = file_read(path, &bytes, &size, error);
    status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    free(path);
    if (status != STATUS_OK || bytes == NULL) {
        return status;
    }
    deviations->records = (struct fuzz_deviation *)(void *)bytes;
    for (size_t i = 0; i < size / sizeof(*deviations->records); i++) {
        struct fuzz_deviation *record = &deviations->records[i];
        if (record->state == 2 && record->severity < FUZZ_SEVERITIES) {
            record->key[sizeof(record->key) - 1] = '\0';
            record->text[sizeof(record->text) - 1] = '\0';
            record->source[sizeof(record->source) - 1] = '\0';
            memmove(&deviations->records[deviations->count++], record, sizeof(*record));
        }
    }
    qsort(deviations->records, deviations->count, sizeof(*deviations->records), deviation_compare);
    return STATUS_OK;
}

void fuzz_deviations_free(struct fuzz_deviations *deviations)
{
    free(deviations->records);
    *deviations = (struct fuzz_deviations){.records = NULL};
}

bool fuzz_deviations_matter(const struct fuzz_deviations *deviations, bool strict)
{
    return deviations->count > 0 && (strict || deviations->records[0].severity > FUZZ_MANNERS);
}

char *fuzz_deviation_key(const char *finding)
{
    size_t length = strcspn(finding, "~");
    char *key = text_format("%.*s", (int)length, finding);
    size_t points = 0;
    for (char *at = key; *at != '\0'; at++) {
        points += *at == '.';
        *at = *at == '.' ? ':' : *at;
    }
    if (points != 2) {
        key[0] = '\0';
    }
    return key;
}

/* The length of "ORACLE:CALL" in a key. */
static size_t deviation_call_length(const char *key)
{
    const char *last = strrchr(key, ':');
    return last != NULL ? (size_t)(last - key) : strlen(key);
}

void fuzz_deviations_print(const struct fuzz_deviations *deviations, FILE *file)
{
    uint32_t severity = FUZZ_SEVERITIES;
    for (size_t i = 0; i < deviations->count;) {
        const struct fuzz_deviation *first = &deviations->records[i];
        size_t length = deviation_call_length(first->key);
        uint64_t count = 0;
        if (first->severity != severity) {
            severity = first->severity;
            (void)fprintf(file, "%s:\n", deviation_severities[severity]);
        }
        (void)fprintf(file, "  %.*s (", (int)length, first->key);
        const char *comma = "";
        for (; i < deviations->count; i++) {
            const struct fuzz_deviation *each = &deviations->records[i];
            if (each->severity != severity || deviation_call_length(each->key) != length ||
                strncmp(each->key, first->key, length) != 0) {
                break;
            }
            (void)fprintf(file, "%s%s", comma, each->key + length + (each->key[length] == ':'));
            comma = ", ";
            count += each->count;
        }
        (void)fprintf(file, "), %" PRIu64 " times\n      %s\n      [%s]\n", count, first->text,
                      first->source);
    }
}

json_t *fuzz_deviations_json(const struct fuzz_deviations *deviations)
{
    json_t *all = json_array();
    for (size_t i = 0; i < deviations->count; i++) {
        const struct fuzz_deviation *each = &deviations->records[i];
        char *input = text_format("findings/%s", each->key);
        for (char *at = input; *at != '\0'; at++) {
            *at = *at == ':' ? '.' : *at;
        }
        (void)json_array_append_new(all,
                                    json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "severity",
                                              deviation_severities[each->severity], "key",
                                              each->key, "count", (json_int_t)each->count, "text",
                                              each->text, "source", each->source, "input", input));
        free(input);
    }
    return all;
}
