#include "common/host/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_ROWS_MAX = 64 };

/* The state of parsing a command line into the structure. */
struct options_parser {
    const struct option_row *rows;
    char *structure;
    const struct option_row *operand; /* takes the next argument that has no dash */
    char **argv;
    int next; /* the first argument that is not parsed yet */
    int count;
};

const struct option_row *options_find(const struct option_row *rows, const char *name,
                                      size_t length)
{
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        if (option_is_named(row) && strlen(row->name) == length &&
            strncmp(row->name, name, length) == 0) {
            return row;
        }
    }
    return NULL;
}

const struct option_row *options_find_letter(const struct option_row *rows, char letter)
{
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        if (row->letter == letter && letter != '\0') {
            return row;
        }
    }
    return NULL;
}

static size_t options_word_index(const struct option_row *row, const char *text, size_t length)
{
    size_t index = 0;
    while (row->words[index] != NULL &&
           (strlen(row->words[index]) != length || strncmp(row->words[index], text, length) != 0)) {
        index++;
    }
    return index;
}

static enum status options_refuse_word(const struct option_row *row, const char *option,
                                       const char *text, struct error *error)
{
    char known[512] = "";
    size_t length = 0;
    size_t count = 0;
    for (; row->words[count] != NULL; count++) {
        int more = snprintf(known + length, sizeof(known) - length, "%s%s", count > 0 ? ", " : "",
                            row->words[count]);
        length += length + (size_t)more < sizeof(known) ? (size_t)more : 0;
    }
    const char *nearest = text_nearest(text, row->words, count);
    return error_set(error, STATUS_INVALID, "%s %s: %s%s%sit wants %s %s", option, text,
                     nearest != NULL ? "did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'? " : "",
                     row->kind == OPTION_CHOICE ? "one of" : "some of", known);
}

static enum status options_set_choice(const struct option_row *row, void *member,
                                      const char *option, const char *text, struct error *error)
{
    size_t index = options_word_index(row, text, strlen(text));
    if (row->words[index] == NULL) {
        return options_refuse_word(row, option, text, error);
    }
    if (row->type == OPTION_TYPE_TEXT) {
        *(const char **)member = row->words[index];
    } else {
        *(unsigned *)member = (unsigned)index;
    }
    return STATUS_OK;
}

static enum status options_set_bits(const struct option_row *row, unsigned *bits,
                                    const char *option, const char *text, struct error *error)
{
    *bits = 0;
    for (const char *rest = text; rest != NULL; rest = strchr(rest, ',')) {
        rest += rest > text;
        size_t index = options_word_index(row, rest, strcspn(rest, ","));
        if (row->words[index] == NULL) {
            return options_refuse_word(row, option, text, error);
        }
        *bits |= 1U << index;
    }
    return STATUS_OK;
}

static enum status options_add(const struct option_row *row, struct text_list *list,
                               const char *option, const char *text, struct error *error)
{
    struct text_list items = {0};
    enum status status = STATUS_OK;
    if (row->kind == OPTION_COMMAS) {
        text_split(&items, text, ',');
    } else {
        text_list_add(&items, text_format("%s", text));
    }
    for (size_t i = 0; i < items.count && status == STATUS_OK; i++) {
        if (row->words != NULL &&
            row->words[options_word_index(row, items.items[i], strlen(items.items[i]))] == NULL) {
            status = options_refuse_word(row, option, items.items[i], error);
        }
        text_list_add(list, text_format("%s", items.items[i]));
    }
    text_list_free(&items);
    return status;
}

static enum status options_set_number(const struct option_row *row, uint64_t *number,
                                      const char *option, const char *text, struct error *error)
{
    bool bounded = row->most > 0;
    uint64_t most = bounded ? (uint64_t)row->most : INT64_MAX; /* the largest integer of JSON */
    uint64_t least = (uint64_t)row->least;
    if (text_to_u64(text, number) && *number >= least && *number <= most) {
        return STATUS_OK;
    }
    return bounded ? error_set(error, STATUS_INVALID,
                               "%s %s: it wants a whole number from %" PRIu64 " to %" PRIu64,
                               option, text, least, most)
                   : error_set(error, STATUS_INVALID,
                               "%s %s: it wants a whole number from %" PRIu64 " up", option, text,
                               least);
}

/* Reads "0.5", and with a percent sign "0.5%". */
static bool options_read_real(const char *text, double *number, bool *percent)
{
    char digits[64];
    size_t length = strlen(text);
    *percent = length > 0 && text[length - 1] == '%';
    length -= *percent;
    if (length >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    return text_to_double(digits, number);
}

static enum status options_set_real(const struct option_row *row, double *number,
                                    const char *option, const char *text, struct error *error)
{
    bool percent = false;
    double value = 0;
    bool good = options_read_real(text, &value, &percent);
    if (row->kind == OPTION_PERCENT) {
        *number = value / 100;
        return good && value >= 0 ? STATUS_OK
                                  : error_set(error, STATUS_INVALID,
                                              "%s %s: it wants per cent, as in 1%%", option, text);
    }
    *number = percent ? value / 100 : value;
    if (good && (!percent || row->kind == OPTION_SHARE) && *number >= row->least &&
        *number <= row->most) {
        return STATUS_OK;
    }
    return row->kind == OPTION_SHARE
               ? error_set(error, STATUS_INVALID,
                           "%s %s: it wants a share from %g%% to %g%%, as in %g%% or %g", option,
                           text, 100 * row->least, 100 * row->most, 100 * row->most, row->most)
               : error_set(error, STATUS_INVALID, "%s %s: it wants a number from %g to %g", option,
                           text, row->least, row->most);
}

static enum status options_set_seconds(const struct option_row *row, double *seconds,
                                       const char *option, const char *text, struct error *error)
{
    if (text_to_seconds(text, seconds) && (row->most <= 0 || *seconds <= row->most)) {
        return STATUS_OK;
    }
    char most[32] = "";
    if (row->most > 0) {
        text_of_seconds(most, sizeof(most), row->most);
    }
    return error_set(error, STATUS_INVALID, "%s %s: it wants a time%s%s, as 90s, 5m or 2h", option,
                     text, row->most > 0 ? " up to " : "", most);
}

static enum status options_set_size(uint64_t *bytes, const char *option, const char *text,
                                    struct error *error)
{
    static const char suffixes[] = "KMGT";
    size_t length = strlen(text);
    const char *suffix = length > 1 ? strchr(suffixes, text[length - 1]) : NULL;
    char *digits = text_format("%.*s", (int)(suffix != NULL ? length - 1 : length), text);
    bool good = text_to_u64(digits, bytes) && *bytes > 0 && *bytes < (UINT64_C(1) << 23);
    free(digits);
    *bytes <<= suffix != NULL ? 10 * (suffix - suffixes + 1) : 0;
    return good ? STATUS_OK
                : error_set(error, STATUS_INVALID, "%s %s: it wants a size, as 500M or 4G", option,
                            text);
}

/* Stores the value in the member, as if the option were on the command line. `option` is for the
 * message. STATUS_INVALID. */
static enum status options_set(const struct option_row *row, void *structure, const char *option,
                               const char *text, struct error *error)
{
    void *member = (char *)structure + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return STATUS_OK;
    case OPTION_TEXT:
        *(const char **)member = text;
        return STATUS_OK;
    case OPTION_LIST:
    case OPTION_COMMAS:
        return options_add(row, member, option, text, error);
    case OPTION_NUMBER:
        return options_set_number(row, member, option, text, error);
    case OPTION_REAL:
    case OPTION_SHARE:
    case OPTION_PERCENT:
        return options_set_real(row, member, option, text, error);
    case OPTION_SECONDS:
        return options_set_seconds(row, member, option, text, error);
    case OPTION_SIZE:
        return options_set_size(member, option, text, error);
    case OPTION_CHOICE:
        return options_set_choice(row, member, option, text, error);
    case OPTION_SET:
        return options_set_bits(row, member, option, text, error);
    case OPTION_CALL:
        break;
    case OPTION_END:
    case OPTION_HEADING:
    case OPTION_REST:
        return STATUS_OK;
    }
    struct error why = {.message = ""};
    return row->take(member, text, &why) == STATUS_OK
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "%s %s: %s", option, text != NULL ? text : "",
                           why.message);
}

static enum status options_set_defaults(const struct option_row *rows, void *structure,
                                        struct error *error)
{
    enum status status = STATUS_OK;
    for (const struct option_row *row = rows; row->kind != OPTION_END && status == STATUS_OK;
         row++) {
        if (row->standard != NULL) {
            status = options_set(row, structure, "the default", row->standard, error);
        }
    }
    return status;
}

static enum status options_take(struct options_parser *parser, const struct option_row *row,
                                const char *option, const char *text, struct error *error)
{
    if (option_has_value(row) && text == NULL) {
        if (parser->next == parser->count) {
            return error_set(error, STATUS_INVALID, "%s wants a value: %s", option,
                             row->placeholder);
        }
        text = parser->argv[parser->next++];
    }
    if (row->given != 0) {
        *(bool *)(parser->structure + row->given) = true;
    }
    return options_set(row, parser->structure, option, text, error);
}

/* Fills an array of OPTION_ROWS_MAX with the names of all options; returns their number. */
static size_t options_names(const struct option_row *rows, const char **names)
{
    size_t count = 0;
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        if (option_is_named(row) && count < OPTION_ROWS_MAX) {
            names[count++] = row->name;
        }
    }
    return count;
}

static enum status options_refuse(const struct option_row *rows, const char *name, size_t length,
                                  struct error *error)
{
    const char *names[OPTION_ROWS_MAX];
    char *typed = text_format("%.*s", (int)length, name);
    const char *nearest = text_nearest(typed, names, options_names(rows, names));
    (void)error_set(error, STATUS_INVALID, "there is no option --%s%s%s%s", typed,
                    nearest != NULL ? "; did you mean --" : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "?" : "");
    free(typed);
    return STATUS_INVALID;
}

/* The option whose name `name` is or abbreviates; NULL after an error. */
static const struct option_row *options_resolve(const struct option_row *rows, const char *name,
                                                size_t length, struct error *error)
{
    const struct option_row *found = options_find(rows, name, length);
    for (const struct option_row *row = rows; found == NULL && row->kind != OPTION_END; row++) {
        if (!option_is_named(row) || strncmp(row->name, name, length) != 0 || length == 0) {
            continue;
        }
        for (const struct option_row *other = row + 1; other->kind != OPTION_END; other++) {
            if (option_is_named(other) && strncmp(other->name, name, length) == 0) {
                (void)error_set(error, STATUS_INVALID, "--%.*s may be --%s or --%s: say which",
                                (int)length, name, row->name, other->name);
                return NULL;
            }
        }
        found = row;
    }
    if (found == NULL) {
        (void)options_refuse(rows, name, length, error);
    }
    return found;
}

static enum status options_take_long(struct options_parser *parser, const char *argument,
                                     struct error *error)
{
    const char *name = argument + 2;
    size_t length = strcspn(name, "=");
    const struct option_row *row = options_resolve(parser->rows, name, length, error);
    if (row == NULL) {
        return STATUS_INVALID;
    }
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    if (value != NULL && !option_has_value(row)) {
        return error_set(error, STATUS_INVALID, "--%s takes no value, and not '%s'", row->name,
                         value);
    }
    char option[64];
    (void)snprintf(option, sizeof(option), "--%s", row->name);
    return options_take(parser, row, option, value, error);
}

/* Parses "-b LIST", "-bLIST", and combined flags: "-xy". */
static enum status options_take_letters(struct options_parser *parser, const char *argument,
                                        struct error *error)
{
    enum status status = STATUS_OK;
    for (const char *letter = argument + 1; *letter != '\0' && status == STATUS_OK; letter++) {
        const struct option_row *row = options_find_letter(parser->rows, *letter);
        char option[] = {'-', *letter, '\0'};
        if (row == NULL) {
            return error_set(error, STATUS_INVALID, "there is no option %s", option);
        }
        bool valued = option_has_value(row);
        status = options_take(parser, row, option, valued && letter[1] != '\0' ? letter + 1 : NULL,
                              error);
        if (valued) {
            break;
        }
    }
    return status;
}

static enum status options_take_operand(struct options_parser *parser, const char *argument,
                                        struct error *error)
{
    const struct option_row *row = parser->operand;
    while (row->kind != OPTION_END && !option_is_operand(row)) {
        row++;
    }
    parser->operand = row;
    if (row->kind == OPTION_END) {
        return error_set(error, STATUS_INVALID, "'%s' is one argument too many", argument);
    }
    bool many = row->kind == OPTION_LIST || row->kind == OPTION_COMMAS;
    parser->operand += !many;
    if (row->given != 0) {
        *(bool *)(parser->structure + row->given) = true;
    }
    return options_set(row, parser->structure, row->placeholder, argument, error);
}

/* Checks at the end of the line that required operands were given. */
static enum status options_check_operands(const struct option_row *rows, const char *structure,
                                          struct error *error)
{
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        const char *member = structure + row->offset;
        bool absent = row->kind == OPTION_TEXT   ? *(const char *const *)member == NULL
                      : row->kind == OPTION_LIST ? ((const struct text_list *)member)->count == 0
                      : row->kind == OPTION_REST ? *(char **const *)member == NULL
                                                 : false;
        if (row->missing != NULL && absent) {
            return error_set(error, STATUS_INVALID, "%s", row->missing);
        }
    }
    return STATUS_OK;
}

static enum status options_take_rest(struct options_parser *parser, struct error *error)
{
    for (const struct option_row *row = parser->rows; row->kind != OPTION_END; row++) {
        if (row->kind == OPTION_REST) {
            *(char ***)(parser->structure + row->offset) = parser->argv + parser->next;
            return STATUS_OK;
        }
    }
    enum status status = STATUS_OK;
    while (parser->next < parser->count && status == STATUS_OK) {
        status = options_take_operand(parser, parser->argv[parser->next++], error);
    }
    return status;
}

enum status options_parse(const struct option_row *rows, void *structure, size_t size, int argc,
                          char **argv, struct error *error)
{
    struct options_parser parser = {.rows = rows,
                                    .structure = structure,
                                    .operand = rows,
                                    .argv = argv,
                                    .next = 1,
                                    .count = argc};
    memset(structure, 0, size);
    enum status status = options_set_defaults(rows, structure, error);
    while (parser.next < parser.count && status == STATUS_OK) {
        const char *argument = argv[parser.next++];
        if (strcmp(argument, "--") == 0) {
            status = options_take_rest(&parser, error);
            break;
        }
        status = argument[0] != '-' || argument[1] == '\0'
                     ? options_take_operand(&parser, argument, error)
                 : argument[1] == '-' ? options_take_long(&parser, argument, error)
                                      : options_take_letters(&parser, argument, error);
    }
    return status == STATUS_OK ? options_check_operands(rows, structure, error) : status;
}

void options_free(const struct option_row *rows, void *structure)
{
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        if (row->type == OPTION_TYPE_LIST) {
            text_list_free((struct text_list *)((char *)structure + row->offset));
        }
    }
}
