#include "leaks/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct leaks_report_entry *leaks_report_add(struct leaks_report *report)
{
    report->entries =
        text_grow(report->entries, report->count + 1, sizeof(struct leaks_report_entry));
    report->entries[report->count] = (struct leaks_report_entry){.blocks = 0};
    return &report->entries[report->count++];
}

static struct leaks_report_entry *leaks_report_last(const struct leaks_report *report)
{
    return report->count == 0 ? NULL : &report->entries[report->count - 1];
}

static void leaks_report_add_function(const struct leaks_report *report, const char *name,
                                      size_t length)
{
    struct leaks_report_entry *entry = leaks_report_last(report);
    if (entry != NULL) {
        text_list_add(&entry->functions, text_format("%.*s", (int)length, name));
    }
}

/* Adds "FILE:LINE" of the last function's frame. */
static void leaks_report_add_place(const struct leaks_report *report, const char *place,
                                   size_t length)
{
    struct leaks_report_entry *entry = leaks_report_last(report);
    if (entry != NULL && memchr(place, ':', length) != NULL) {
        text_list_add(&entry->places, text_format("%.*s", (int)length, place));
    }
}

/* Reads the number after the word; false: there is none. */
static bool leaks_report_number(const char *line, const char *word, uint64_t *number)
{
    const char *at = strstr(line, word);
    if (at == NULL || at[strlen(word)] < '0' || at[strlen(word)] > '9') {
        return false;
    }
    *number = strtoull(at + strlen(word), NULL, 10);
    return true;
}

/* ---------------------------------------------------------------- LeakSanitizer
 * "Direct leak of 96 byte(s) in 2 object(s) allocated from:", then "    #1 0x… in name file:line".
 */
static void leaks_report_take_lsan_line(struct leaks_report *report, const char *line, bool *ended)
{
    uint64_t bytes, blocks;
    if (leaks_report_number(line, " leak of ", &bytes) &&
        leaks_report_number(line, " byte(s) in ", &blocks)) {
        struct leaks_report_entry *entry = leaks_report_add(report);
        entry->bytes = bytes;
        entry->blocks = blocks;
        entry->indirect = strncmp(line, "Indirect", 8) == 0;
    } else if (strncmp(line, "    #", 5) == 0) {
        const char *name = strstr(line, " in ");
        name = name == NULL ? "?" : name + 4;
        leaks_report_add_function(report, name, strcspn(name, " "));
        const char *place = strrchr(name, ' ');
        if (place != NULL && place[1] != '(') {
            leaks_report_add_place(report, place + 1, strlen(place + 1));
        }
    } else if (strncmp(line, "SUMMARY:", 8) == 0) {
        *ended = true;
    }
}

static bool leaks_report_parse_lsan(struct leaks_report *report, const struct text_list *lines)
{
    bool begun = false, ended = false;
    for (size_t i = 0; i < lines->count; i++) {
        begun = begun || strstr(lines->items[i], "LeakSanitizer: detected memory leaks") != NULL;
        if (begun) {
            leaks_report_take_lsan_line(report, lines->items[i], &ended);
        }
        if (strstr(lines->items[i], "LeakSanitizer has encountered a fatal error") != NULL) {
            return false; /* it may not trace the process, and has checked nothing */
        }
    }
    return begun == ended;
}

/* ---------------------------------------------------------------- memcheck
 * valgrind's XML protocol 4 has one element a line, so that no XML reader is needed. */

/* The text of <name>text</name> in the line; NULL: the line holds something else. */
static const char *leaks_report_element(const char *line, const char *name, size_t *length)
{
    const char *open = strchr(line, '<');
    size_t letters = strlen(name);
    if (open == NULL || strncmp(open + 1, name, letters) != 0 || open[letters + 1] != '>') {
        return NULL;
    }
    const char *text = open + letters + 2;
    *length = strcspn(text, "<");
    return text;
}

enum { LEAKS_REPORT_FILE_BYTES = 256 };

/* file: the <file> of the frame, whose <line> comes next. */
static void leaks_report_take_memcheck_line(struct leaks_report *report, const char *line,
                                            bool *wanted, char *file)
{
    size_t length;
    const char *text = leaks_report_element(line, "kind", &length);
    if (text != NULL) {
        *wanted = strncmp(text, "Leak_", 5) == 0 && strncmp(text, "Leak_Still", 10) != 0;
        if (*wanted) {
            struct leaks_report_entry *entry = leaks_report_add(report);
            entry->indirect = strncmp(text, "Leak_Indirectly", 15) == 0;
            entry->possible = strncmp(text, "Leak_Possibly", 13) == 0;
        }
    } else if (!*wanted) {
        return;
    } else if ((text = leaks_report_element(line, "leakedbytes", &length)) != NULL) {
        leaks_report_last(report)->bytes = strtoull(text, NULL, 10);
    } else if ((text = leaks_report_element(line, "leakedblocks", &length)) != NULL) {
        leaks_report_last(report)->blocks = strtoull(text, NULL, 10);
    } else if ((text = leaks_report_element(line, "fn", &length)) != NULL) {
        leaks_report_add_function(report, text, length);
    } else if ((text = leaks_report_element(line, "file", &length)) != NULL) {
        (void)snprintf(file, LEAKS_REPORT_FILE_BYTES, "%.*s", (int)length, text);
    } else if ((text = leaks_report_element(line, "line", &length)) != NULL) {
        char *place = text_format("%s:%.*s", file, (int)length, text);
        leaks_report_add_place(report, place, strlen(place));
        free(place);
    } else if (strstr(line, "</error>") != NULL) {
        *wanted = false;
    }
}

static bool leaks_report_parse_memcheck(struct leaks_report *report, const struct text_list *lines)
{
    bool ended = false, wanted = false;
    char file[LEAKS_REPORT_FILE_BYTES] = "";
    for (size_t i = 0; i < lines->count; i++) {
        leaks_report_take_memcheck_line(report, lines->items[i], &wanted, file);
        ended = ended || strstr(lines->items[i], "</valgrindoutput>") != NULL;
    }
    return ended;
}

/* ---------------------------------------------------------------- heaptrack
 * "5.00K leaked over 5 calls from", then functions at the line's start with "  at" and "  in" lines
 * behind. "…calls from:" begins one caller's share of these blocks, its frames indented: shares are
 * the entries then, each with the functions of the whole. */
struct leaks_report_heaptrack {
    size_t whole; /* the entry that is split into shares */
    bool of_whole;
    bool begun, ended;
};

static double leaks_report_unit(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    const char *units = "BKMGT";
    const char *unit = *end == '\0' ? NULL : strchr(units, *end);
    for (const char *step = units; unit != NULL && step < unit; step++) {
        value *= 1000; /* heaptrack_print's prefixes are decimal */
    }
    return value;
}

static void leaks_report_begin_share(struct leaks_report *report, size_t whole)
{
    (void)leaks_report_add(report);
    struct leaks_report_entry *of = &report->entries[whole];
    for (size_t i = 0; i < of->functions.count; i++) {
        leaks_report_add_function(report, of->functions.items[i], strlen(of->functions.items[i]));
    }
    for (size_t i = 0; i < of->places.count; i++) {
        leaks_report_add_place(report, of->places.items[i], strlen(of->places.items[i]));
    }
    of->blocks = 0;
    of->bytes = 0;
}

static void leaks_report_take_heaptrack_line(struct leaks_report *report, const char *line,
                                             struct leaks_report_heaptrack *at)
{
    uint64_t calls;
    if (leaks_report_number(line, " leaked over ", &calls)) {
        at->of_whole = strstr(line, "calls from:") == NULL;
        if (at->of_whole || report->count == 0) {
            at->whole = report->count;
            (void)leaks_report_add(report);
        } else {
            leaks_report_begin_share(report, at->whole);
        }
        leaks_report_last(report)->bytes = (uint64_t)(leaks_report_unit(line) + 0.5);
        leaks_report_last(report)->blocks = calls;
    } else if (*line != '\0' && report->count > 0) {
        const char *name = line + strspn(line, " ");
        bool of_share = strncmp(line, "    ", 4) == 0;
        if (!at->of_whole && !of_share) {
            return;
        }
        if (strncmp(name, "at ", 3) == 0) {
            leaks_report_add_place(report, name + 3, strlen(name + 3));
        } else if (strncmp(name, "in ", 3) != 0) {
            leaks_report_add_function(report, name, strcspn(name, " ("));
        }
    }
}

/* Drops entries whose blocks were all split into shares. */
static void leaks_report_drop_empty(struct leaks_report *report)
{
    size_t kept = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (report->entries[i].blocks > 0) {
            report->entries[kept++] = report->entries[i];
        } else {
            text_list_free(&report->entries[i].functions);
            text_list_free(&report->entries[i].places);
        }
    }
    report->count = kept;
}

static bool leaks_report_parse_heaptrack(struct leaks_report *report, const struct text_list *lines)
{
    struct leaks_report_heaptrack at = {.whole = 0};
    for (size_t i = 0; i < lines->count && !at.ended; i++) {
        at.ended = strncmp(lines->items[i], "total runtime:", 14) == 0;
        if (at.begun && !at.ended) {
            leaks_report_take_heaptrack_line(report, lines->items[i], &at);
        }
        at.begun = at.begun || strcmp(lines->items[i], "MEMORY LEAKS") == 0;
    }
    leaks_report_drop_empty(report);
    return at.ended;
}

/* ---------------------------------------------------------------- */
enum status leaks_report_parse(enum leaks_report_format format, const char *text,
                               struct leaks_report *report, struct error *error)
{
    static const struct {
        const char *name;
        bool (*parse)(struct leaks_report *, const struct text_list *);
    } formats[] = {
        [LEAKS_REPORT_LSAN] = {"LeakSanitizer", leaks_report_parse_lsan},
        [LEAKS_REPORT_MEMCHECK] = {"valgrind --xml=yes", leaks_report_parse_memcheck},
        [LEAKS_REPORT_HEAPTRACK] = {"heaptrack_print", leaks_report_parse_heaptrack},
    };
    struct text_list lines = {0};
    *report = (struct leaks_report){.count = 0};
    text_split(&lines, text, '\n');
    bool whole = formats[format].parse(report, &lines);
    text_list_free(&lines);
    if (!whole) {
        leaks_report_free(report);
        return error_set(error, STATUS_INVALID,
                         "this is not a whole report of %s: run it again and look at its errors",
                         formats[format].name);
    }
    return STATUS_OK;
}

void leaks_report_free(struct leaks_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        text_list_free(&report->entries[i].functions);
        text_list_free(&report->entries[i].places);
    }
    free(report->entries);
    *report = (struct leaks_report){.count = 0};
}

static bool leaks_report_has(const struct leaks_report_entry *entry, const char *function)
{
    for (size_t i = 0; i < entry->functions.count; i++) {
        if (strcmp(entry->functions.items[i], function) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t leaks_report_blocks(const struct leaks_report *report, const char *function,
                             bool with_possible)
{
    uint64_t blocks = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct leaks_report_entry *entry = &report->entries[i];
        if ((with_possible || !entry->possible) &&
            (function == NULL || leaks_report_has(entry, function))) {
            blocks += entry->blocks;
        }
    }
    return blocks;
}
