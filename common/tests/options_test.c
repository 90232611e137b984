/* Tables of options: each kind of value, what is refused and what is then said, operands. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/host/options.h"

struct sample {
    bool flag;
    bool flag_given;
    const char *text;
    const char *first;
    const char *word;
    struct text_list list;
    struct text_list commas;
    struct text_list others;
    uint64_t number;
    uint64_t bytes;
    double real;
    double share;
    double percent;
    double seconds;
    unsigned choice;
    unsigned set;
    char **rest;
    int called;
};

static enum status sample_take(void *member, const char *text, struct error *error)
{
    if (strcmp(text, "good") != 0) {
        return error_set(error, STATUS_INVALID, "it wants good");
    }
    ++*(int *)member;
    return STATUS_OK;
}

static const char *const words[] = {"red", "green", "blue", NULL};

#define INTO(member) OPTION_INTO(struct sample, member)

static const struct option_row rows[] = {
    {OPTION_TEXT, .placeholder = "FIRST", .missing = "say which first", INTO(first)},
    {OPTION_LIST, .placeholder = "OTHER", INTO(others)},
    {OPTION_HEADING, .help = "a heading is no option"},
    {OPTION_FLAG, 'f', "flag", .given = offsetof(struct sample, flag_given), INTO(flag)},
    {OPTION_TEXT, 't', "text", "TEXT", .standard = "usual", INTO(text)},
    {OPTION_LIST, 'l', "list", "ITEM", INTO(list)},
    {OPTION_COMMAS, 'c', "commas", "LIST", INTO(commas)},
    {OPTION_NUMBER, 'n', "number", "N", .standard = "7", .least = 1, .most = 9, INTO(number)},
    {OPTION_SIZE, 0, "bytes", "SIZE", INTO(bytes)},
    {OPTION_REAL, 0, "real", "R", .least = -1, .most = 2, INTO(real)},
    {OPTION_SHARE, 0, "share", "S", .least = 0.001, .most = 1, INTO(share)},
    {OPTION_PERCENT, 0, "percent", "P", INTO(percent)},
    {OPTION_SECONDS, 0, "seconds", "TIME", .most = 3600, INTO(seconds)},
    {OPTION_CHOICE, 0, "choice", "WORD", .words = words, INTO(choice)},
    {OPTION_CHOICE, 0, "word", "WORD", .words = words, INTO(word)},
    {OPTION_SET, 0, "set", "WORDS", .standard = "red,blue", .words = words, INTO(set)},
    {OPTION_CALL, 0, "call", "GOOD", .take = sample_take, INTO(called)},
    {OPTION_REST, .placeholder = "COMMAND…", INTO(rest)},
    {.kind = OPTION_END},
};

enum { ARGUMENTS_MAX = 12 };

static enum status sample_parse(struct sample *sample, const char *const *arguments,
                                struct error *error)
{
    static char *argv[ARGUMENTS_MAX + 2];
    int argc = 1;
    argv[0] = (char *)"sample";
    for (; arguments[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)arguments[argc - 1];
    }
    argv[argc] = NULL;
    return options_parse(rows, sample, sizeof(*sample), argc, argv, error);
}

#define PARSE(sample, error, ...)                                                                  \
    sample_parse(sample, (const char *const[]){__VA_ARGS__, NULL}, error)

static void defaults_are_parsed(void **state)
{
    (void)state;
    struct sample sample;
    struct error error;
    assert_int_equal(PARSE(&sample, &error, "one"), STATUS_OK);
    assert_string_equal(sample.first, "one");
    assert_string_equal(sample.text, "usual");
    assert_int_equal(sample.number, 7);
    assert_int_equal(sample.set, 5);
    assert_false(sample.flag || sample.flag_given);
    assert_null(sample.rest);
    options_free(rows, &sample);
}

static void every_kind_is_stored(void **state)
{
    (void)state;
    struct sample sample;
    struct error error;
    assert_int_equal(PARSE(&sample, &error, "-ft", "x", "one", "--number=9", "-la", "-l", "b",
                           "two", "-cc,d", "three"),
                     STATUS_OK);
    assert_true(sample.flag && sample.flag_given);
    assert_string_equal(sample.text, "x");
    assert_int_equal(sample.number, 9);
    assert_int_equal(sample.list.count, 2);
    assert_string_equal(sample.list.items[1], "b");
    assert_int_equal(sample.commas.count, 2);
    assert_string_equal(sample.commas.items[0], "c");
    assert_int_equal(sample.others.count, 2);
    assert_string_equal(sample.others.items[1], "three");
    options_free(rows, &sample);
    assert_int_equal(PARSE(&sample, &error, "one", "--bytes=4G", "--real", "-0.5", "--share", "1%",
                           "--percent=0.5", "--seconds", "5m"),
                     STATUS_OK);
    assert_int_equal(sample.bytes, UINT64_C(4) << 30);
    assert_true(sample.real < -0.49 && sample.real > -0.51);
    assert_true(sample.share > 0.0099 && sample.share < 0.0101);
    assert_true(sample.percent > 0.0049 && sample.percent < 0.0051);
    assert_true(sample.seconds > 299 && sample.seconds < 301);
    assert_int_equal(PARSE(&sample, &error, "one", "--choice", "blue", "--word", "green", "--set",
                           "green,blue", "--call", "good", "--call=good"),
                     STATUS_OK);
    assert_int_equal(sample.choice, 2);
    assert_string_equal(sample.word, "green");
    assert_int_equal(sample.set, 6);
    assert_int_equal(sample.called, 2);
}

static void what_follows_two_dashes_is_left_alone(void **state)
{
    (void)state;
    struct sample sample;
    struct error error;
    assert_int_equal(PARSE(&sample, &error, "one", "--", "-x", "--number"), STATUS_OK);
    assert_string_equal(sample.rest[0], "-x");
    assert_string_equal(sample.rest[1], "--number");
    assert_null(sample.rest[2]);
}

static void wrong_lines_are_refused_with_a_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[4];
        const char *remedy;
    } lines[] = {
        {{NULL}, "say which first"},
        {{"one", "--numbre", "3"}, "did you mean --number?"},
        {{"one", "-z"}, "no option -z"},
        {{"one", "--zzzzzzz"}, "no option --zzzzzzz"},
        {{"one", "--s=1"}, "--share or --seconds"},
        {{"one", "--"}, NULL},
        {{"one", "--=1"}, "no option --"},
        {{"one", "--flag=1"}, "takes no value"},
        {{"one", "--number"}, "--number wants a value: N"},
        {{"one", "-n"}, "-n wants a value: N"},
        {{"one", "-n", "10"}, "-n 10: it wants a whole number from 1 to 9"},
        {{"one", "-n", "x"}, "from 1 to 9"},
        {{"one", "-n-1"}, "from 1 to 9"},
        {{"one", "--bytes", "4X"}, "500M or 4G"},
        {{"one", "--real", "3"}, "from -1 to 2"},
        {{"one", "--real", "1%"}, "from -1 to 2"},
        {{"one", "--real", "nan"}, "from -1 to 2"},
        {{"one", "--share", "101%"}, "a share from 0.1% to 100%"},
        {{"one", "--share", ""}, "a share"},
        {{"one", "--percent", "-1"}, "as in 1%"},
        {{"one", "--seconds", "2h"}, "up to 1 h 00 min"},
        {{"one", "--choice", "gren"}, "did you mean 'green'? it wants one of red, green, blue"},
        {{"one", "--set", "red,"}, "some of red, green, blue"},
        {{"one", "--set", "red,pink"}, "some of red, green, blue"},
        {{"one", "--call", "bad"}, "--call bad: it wants good"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct sample sample;
        struct error error = {.message = ""};
        enum status status = sample_parse(&sample, lines[i].arguments, &error);
        if ((status == STATUS_OK) != (lines[i].remedy == NULL) ||
            (lines[i].remedy != NULL && strstr(error.message, lines[i].remedy) == NULL)) {
            fail_msg("line %zu: status %d, expected '%s', said: %s", i, (int)status,
                     lines[i].remedy, error.message);
        }
        options_free(rows, &sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_parsed),
        cmocka_unit_test(every_kind_is_stored),
        cmocka_unit_test(what_follows_two_dashes_is_left_alone),
        cmocka_unit_test(wrong_lines_are_refused_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
