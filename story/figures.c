#include "story/figures.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"

/* ------------------------------------------------------------------------------------- names */

static bool figures_is_listed(const json_t *answer, const char *word)
{
    size_t index;
    json_t *each;
    json_array_foreach(json_object_get(answer, "absent"), index, each)
    {
        const char *name = json_is_string(each) ? json_string_value(each) : "";
        if (strcmp(name, "*") == 0 || strcmp(name, word) == 0) {
            return true;
        }
    }
    return false;
}

/* Follows the words of a path into a run's result. */
static enum status figures_walk(const json_t *answer, const struct text_list *words,
                                const json_t **value)
{
    bool absent = false;
    *value = answer;
    for (size_t i = 1; i < words->count; i++) {
        absent = absent || figures_is_listed(answer, words->items[i]);
        *value = json_object_get(*value, words->items[i]);
    }
    return *value != NULL ? STATUS_OK : absent ? STATUS_UNSUPPORTED : STATUS_CORRUPT;
}

enum status figures_find(const struct figures *figures, const char *name, const json_t **value,
                         struct error *error)
{
    struct text_list words = {0};
    text_split(&words, name, '/');
    const json_t *answer = json_object_get(figures->answers, words.items[0]);
    enum status status = STATUS_CORRUPT;
    *value = NULL;
    if (words.count == 1) {
        *value = json_object_get(figures->lets, name);
        status = *value == NULL         ? STATUS_CORRUPT
                 : json_is_null(*value) ? STATUS_UNSUPPORTED
                                        : STATUS_OK;
    } else if (answer != NULL) {
        status = figures_walk(answer, &words, value);
    }
    text_list_free(&words);
    return status == STATUS_OK
               ? STATUS_OK
               : error_set(error, status,
                           status == STATUS_CORRUPT ? "no run so far has a figure %s"
                                                    : "this machine has no figure %s",
                           name);
}

/* ------------------------------------------------------------------------------- expressions */

/* The words of an expression that are not parsed yet. */
struct figures_parser {
    const struct figures *figures;
    struct text_list words;
    size_t at;
    struct error *error;
};

/* Takes the next word if it is one of the operators; '\0': it is not. */
static char parser_take(struct figures_parser *parser, const char *operators)
{
    const char *word = parser->at < parser->words.count ? parser->words.items[parser->at] : "";
    if (word[0] != '\0' && word[1] == '\0' && strchr(operators, word[0]) != NULL) {
        parser->at++;
        return word[0];
    }
    return '\0';
}

static enum status parser_value(struct figures_parser *parser, double *value)
{
    const json_t *figure = NULL;
    if (parser->at >= parser->words.count) {
        return error_set(parser->error, STATUS_CORRUPT, "an expression ends too early");
    }
    const char *word = parser->words.items[parser->at++];
    if (text_to_double(word, value)) {
        return STATUS_OK;
    }
    enum status status = figures_find(parser->figures, word, &figure, parser->error);
    if (status != STATUS_OK) {
        return status;
    }
    if (!json_is_number(figure)) {
        return error_set(parser->error, STATUS_CORRUPT, "%s is no number", word);
    }
    *value = json_number_value(figure);
    return STATUS_OK;
}

static enum status parser_product(struct figures_parser *parser, double *value)
{
    enum status status = parser_value(parser, value);
    char sign;
    while (status == STATUS_OK && (sign = parser_take(parser, "*/")) != '\0') {
        double right;
        status = parser_value(parser, &right);
        if (status == STATUS_OK) {
            *value = sign == '*' ? *value * right : *value / right;
        }
    }
    return status;
}

static enum status parser_sum(struct figures_parser *parser, double *value)
{
    enum status status = parser_product(parser, value);
    char sign;
    while (status == STATUS_OK && (sign = parser_take(parser, "+-")) != '\0') {
        double right;
        status = parser_product(parser, &right);
        if (status == STATUS_OK) {
            *value = sign == '+' ? *value + right : *value - right;
        }
    }
    return status;
}

static enum status parser_comparison(struct figures_parser *parser, double *value)
{
    enum status status = parser_sum(parser, value);
    if (status == STATUS_OK && parser->at < parser->words.count) {
        char sign = parser_take(parser, "<>=");
        double right = 0;
        status = sign == '\0' ? error_set(parser->error, STATUS_CORRUPT, "'%s' is no operator",
                                          parser->words.items[parser->at])
                              : parser_sum(parser, &right);
        *value = sign == '<' ? *value < right : sign == '>' ? *value > right : *value == right;
    }
    if (status == STATUS_OK && parser->at < parser->words.count) {
        status = error_set(parser->error, STATUS_CORRUPT, "'%s' is too much",
                           parser->words.items[parser->at]);
    }
    return status;
}

enum status figures_evaluate(const struct figures *figures, const char *expression, double *value,
                             struct error *error)
{
    struct figures_parser parser = {.figures = figures, .error = error};
    struct text_list all = {0};
    text_split(&all, expression, ' ');
    for (size_t i = 0; i < all.count; i++) {
        if (all.items[i][0] != '\0') {
            text_list_add(&parser.words, text_format("%s", all.items[i]));
        }
    }
    *value = NAN;
    enum status status = parser_comparison(&parser, value);
    text_list_free(&all);
    text_list_free(&parser.words);
    return status;
}

/* --------------------------------------------------------------------------------- sentences */

/* Formats a value. The caller frees; NULL: there is no such format. */
static char *figures_format(const json_t *value, const char *format)
{
    char text[64];
    double number = json_number_value(value);
    if (json_is_string(value)) {
        return text_format("%s", json_string_value(value));
    }
    if (strcmp(format, "bytes") == 0) {
        return text_format("%s", text_of_bytes(text, sizeof(text), number, 3));
    }
    if (strcmp(format, "percent") == 0) {
        return text_format("%.3g%%", 100 * number);
    }
    if (strcmp(format, "ms") == 0) {
        return text_format("%.3g ms", number);
    }
    if (strcmp(format, "ns") == 0) {
        return number < 1e4 ? text_format("%.3g ns", number) : text_format("%.3g us", number / 1e3);
    }
    if (strcmp(format, "x") == 0) {
        return number < 10 ? text_format("%.2f", number) : text_format("%.3g", number);
    }
    if (format[0] != '\0') {
        return NULL;
    }
    return number == floor(number) && fabs(number) < 1e15
               ? text_format("%s", text_of_count(text, sizeof(text), number))
               : text_format("%.3g", number);
}

/* A number is not to be torn from its unit, nor its thousands from each other. */
static void figures_put_unbroken(const char *text, FILE *file)
{
    for (; *text != '\0'; text++) {
        (void)fputs(*text == ' ' ? "\xc2\xa0" : (const char[]){*text, '\0'}, file);
    }
}

/* Writes the figure of "NAME:FORMAT", whose length is given. */
static enum status figures_put(const struct figures *figures, const char *name, size_t length,
                               FILE *file, struct error *error)
{
    const json_t *value = NULL;
    char *word = text_format("%.*s", (int)length, name);
    char *colon = strrchr(word, ':');
    const char *format = "";
    if (colon != NULL) {
        *colon = '\0';
        format = colon + 1;
    }
    enum status status = figures_find(figures, word, &value, error);
    if (status == STATUS_OK) {
        char *text = figures_format(value, format);
        if (text == NULL) {
            status = error_set(error, STATUS_CORRUPT, "%s: there is no format %s", word, format);
        } else {
            figures_put_unbroken(text, file);
        }
        free(text);
    }
    free(word);
    return status;
}

enum status figures_expand(const struct figures *figures, const char *sentence, char **text,
                           struct error *error)
{
    size_t size = 0;
    FILE *file = open_memstream(text, &size);
    enum status status = file != NULL ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "no memory");
    for (const char *at = sentence; status == STATUS_OK && *at != '\0'; at++) {
        /* Names may contain braces: pymalloc-3.10{collector=growth}. */
        size_t depth = *at == '{';
        const char *end = at + 1;
        for (; depth > 0 && *end != '\0' && (*end != '}' || depth > 1); end++) {
            depth = depth + (*end == '{') - (*end == '}');
        }
        if (*at == '{' && *end == '}') {
            status = figures_put(figures, at + 1, (size_t)(end - at - 1), file, error);
            at = end;
        } else {
            (void)fputc(*at, file);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (status != STATUS_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}
