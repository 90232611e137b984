#include "leaks/leaktrack_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/process.h"
#include "common/host/text.h"

enum { LEAKTRACK_QUARTERS = 4 };

struct leaktrack_reader {
    json_t *process;
    json_t *site; /* the last one; borrowed */
};

static json_int_t leaktrack_number(const struct text_list *words, size_t at)
{
    uint64_t value = 0;
    if (at < words->count) {
        (void)text_to_u64(words->items[at], &value);
    }
    return (json_int_t)value;
}

/* Sets the members from the words after the first. */
static void leaktrack_set_numbers(json_t *object, const struct text_list *words,
                                  const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)json_object_set_new(object, names[i], json_integer(leaktrack_number(words, i + 1)));
    }
}

static void leaktrack_take_begin(struct leaktrack_reader *reader, const struct text_list *words)
{
    bool again = json_object_get(reader->process, "program") != NULL;
    (void)json_object_clear(reader->process);
    (void)json_object_set_new(reader->process, "program", json_string(words->items[1]));
    (void)json_object_set_new(reader->process, "replaced", json_boolean(again));
    (void)json_object_set_new(reader->process, "ended", json_false());
    (void)json_object_set_new(reader->process, "samples", json_array());
    (void)json_object_set_new(reader->process, "sites", json_array());
    reader->site = NULL;
}

static void leaktrack_take_sample(struct leaktrack_reader *reader, const struct text_list *words)
{
    (void)json_array_append_new(json_object_get(reader->process, "samples"),
                                json_pack("[f,I,I]", (double)leaktrack_number(words, 1) / 1e9,
                                          leaktrack_number(words, 2), leaktrack_number(words, 3)));
}

static void leaktrack_take_site(struct leaktrack_reader *reader, const struct text_list *words)
{
    static const char *const names[] = {"leaked_blocks", "leaked_bytes", "live_blocks",
                                        "live_bytes"};
    reader->site = json_pack("{s:b,s:[]}", "grows", 0, "frames");
    leaktrack_set_numbers(reader->site, words, names, sizeof(names) / sizeof(names[0]));
    (void)json_array_append_new(json_object_get(reader->process, "sites"), reader->site);
}

/* Sets whether the live bytes rise from each quarter to the next. Fewer than four samples do not
 * tell. */
static void leaktrack_take_growth(struct leaktrack_reader *reader, const struct text_list *words)
{
    size_t samples = words->count - 1;
    bool grows = samples > LEAKTRACK_QUARTERS;
    json_int_t before = leaktrack_number(words, 1);
    for (size_t quarter = 1; quarter <= LEAKTRACK_QUARTERS && grows; quarter++) {
        json_int_t now = leaktrack_number(words, 1 + (samples - 1) * quarter / LEAKTRACK_QUARTERS);
        grows = now > before;
        before = now;
    }
    (void)json_object_set_new(reader->site, "grows", json_boolean(grows));
}

static void leaktrack_take_frame(struct leaktrack_reader *reader, const struct text_list *words)
{
    (void)json_array_append_new(json_object_get(reader->site, "frames"),
                                json_pack("{s:s,s:s,s:s}", "module", words->items[1], "offset",
                                          words->items[2], "symbol", words->items[3]));
}

static json_int_t leaktrack_sum(const json_t *sites, const char *name)
{
    json_int_t sum = 0;
    size_t i;
    const json_t *site;
    json_array_foreach(sites, i, site)
    {
        sum += json_integer_value(json_object_get(site, name));
    }
    return sum;
}

static void leaktrack_take_end(struct leaktrack_reader *reader, const struct text_list *words)
{
    static const char *const names[] = {"judged",     "allocations",     "live_blocks",
                                        "live_bytes", "live_bytes_peak", "unbooked"};
    const json_t *sites = json_object_get(reader->process, "sites");
    leaktrack_set_numbers(reader->process, words, names, sizeof(names) / sizeof(names[0]));
    (void)json_object_set_new(reader->process, "judged",
                              json_boolean(leaktrack_number(words, 1) != 0));
    (void)json_object_set_new(reader->process, "ended", json_true());
    (void)json_object_set_new(reader->process, "leaked_blocks",
                              json_integer(leaktrack_sum(sites, "leaked_blocks")));
    (void)json_object_set_new(reader->process, "leaked_bytes",
                              json_integer(leaktrack_sum(sites, "leaked_bytes")));
}

/* Reads a line. false: it is not the tracker's. A last line that the process's end cut short is not
 * an error. */
static bool leaktrack_take_line(struct leaktrack_reader *reader, const struct text_list *words)
{
    static const struct {
        const char *word;
        size_t count;
        bool of_site;
        void (*take)(struct leaktrack_reader *, const struct text_list *);
    } kinds[] = {
        {"begin", 2, false, leaktrack_take_begin}, {"sample", 4, false, leaktrack_take_sample},
        {"site", 5, false, leaktrack_take_site},   {"grew", 1, true, leaktrack_take_growth},
        {"frame", 4, true, leaktrack_take_frame},  {"end", 7, false, leaktrack_take_end},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(words->items[0], kinds[i].word) == 0) {
            bool begun = i == 0 || json_object_get(reader->process, "program") != NULL;
            bool fits = words->count >= kinds[i].count && begun &&
                        (!kinds[i].of_site || reader->site != NULL);
            if (fits) {
                kinds[i].take(reader, words);
            }
            return fits;
        }
    }
    return false;
}

static int leaktrack_compare_sites(const void *left, const void *right)
{
    json_int_t a = json_integer_value(json_object_get(*(json_t *const *)left, "leaked_bytes"));
    json_int_t b = json_integer_value(json_object_get(*(json_t *const *)right, "leaked_bytes"));
    return (a < b) - (a > b);
}

static void leaktrack_sort_sites(json_t *process)
{
    const json_t *sites = json_object_get(process, "sites");
    size_t count = json_array_size(sites);
    json_t **order = text_grow(NULL, count + 1, sizeof(json_t *));
    json_t *sorted = json_array();
    for (size_t i = 0; i < count; i++) {
        order[i] = json_array_get(sites, i);
    }
    qsort(order, count, sizeof(json_t *), leaktrack_compare_sites);
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append(sorted, order[i]);
    }
    (void)json_object_set_new(process, "sites", sorted);
    free(order);
}

json_t *leaktrack_file_read(const char *path, struct error *error)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct leaktrack_reader reader = {.process = json_object()};
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t length;
    bool good = true;
    while (good && (length = getline(&line, &room, file)) > 0) {
        struct text_list words = {0};
        number++;
        line[length - (line[length - 1] == '\n')] = '\0';
        text_split(&words, line, '\t');
        good = words.count > 0 && leaktrack_take_line(&reader, &words);
        text_list_free(&words);
    }
    free(line);
    (void)fclose(file);
    if (!good || number == 0) {
        (void)error_set(error, STATUS_INVALID, "%s, line %zu: not of a leak tracker's file", path,
                        number);
        json_decref(reader.process);
        return NULL;
    }
    leaktrack_sort_sites(reader.process);
    return reader.process;
}

/* ---------------------------------------------------------------- names of places */
/* The output of addr2line without its newline; NULL: it is not installed, or does not know the
 * place. */
static char *leaktrack_ask_addr2line(const char *module, const char *offset)
{
    const char *const arguments[] = {"/usr/bin/addr2line", "-Cfpe", module, offset, NULL};
    const char *const environment[] = {"LC_ALL=C", NULL};
    const struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = 20};
    struct process_result result;
    struct error error;
    if (access(arguments[0], X_OK) != 0 || process_run(&request, &result, &error) != STATUS_OK) {
        return NULL;
    }
    char *answer = NULL;
    if (result.exit_code == 0 && result.output != NULL && result.output[0] != '?' &&
        strstr(result.output, " at ??") == NULL) {
        answer = text_format("%.*s", (int)strcspn(result.output, "\n"), result.output);
    }
    process_result_free(&result);
    return answer;
}

char *leaktrack_frame_text(const json_t *frame, const char *program)
{
    const char *module = json_string_value(json_object_get(frame, "module"));
    const char *offset = json_string_value(json_object_get(frame, "offset"));
    const char *symbol = json_string_value(json_object_get(frame, "symbol"));
    const char *path = module[0] == '/' ? module : program;
    char *answer = leaktrack_ask_addr2line(path, offset);
    return answer != NULL
               ? answer
               : text_format("%s (%s+%s)", strcmp(symbol, "?") == 0 ? "??" : symbol, path, offset);
}
