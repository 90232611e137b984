/* What is stated of every command: its table is whole and each option in it is parsed, its help
 * fits a terminal, its man page is sound, and a shell completes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/tests/cli_fixture.h"

enum { COMMANDS_LEAST = 27, OPTIONS_LEAST = 120, TEXT_MAX = 65536 };

typedef void commands_visit(const struct command *command, const char *path);

static void for_each_command(const struct command *command, const char *path, commands_visit *visit)
{
    visit(command, path);
    for (size_t i = 0; command->subcommands != NULL && command->subcommands[i] != NULL; i++) {
        char *longer = text_format("%s %s", path, command->subcommands[i]->name);
        for_each_command(command->subcommands[i], longer, visit);
        free(longer);
    }
}

static size_t visited;

/* The types of members that a kind can be stored in: the first, and another one or the same. */
static const enum option_type kind_types[][2] = {
    [OPTION_FLAG] = {OPTION_TYPE_BOOL, OPTION_TYPE_BOOL},
    [OPTION_TEXT] = {OPTION_TYPE_TEXT, OPTION_TYPE_TEXT},
    [OPTION_LIST] = {OPTION_TYPE_LIST, OPTION_TYPE_LIST},
    [OPTION_COMMAS] = {OPTION_TYPE_LIST, OPTION_TYPE_LIST},
    [OPTION_NUMBER] = {OPTION_TYPE_NUMBER, OPTION_TYPE_NUMBER},
    [OPTION_REAL] = {OPTION_TYPE_REAL, OPTION_TYPE_REAL},
    [OPTION_SHARE] = {OPTION_TYPE_REAL, OPTION_TYPE_REAL},
    [OPTION_PERCENT] = {OPTION_TYPE_REAL, OPTION_TYPE_REAL},
    [OPTION_SECONDS] = {OPTION_TYPE_REAL, OPTION_TYPE_REAL},
    [OPTION_SIZE] = {OPTION_TYPE_NUMBER, OPTION_TYPE_NUMBER},
    [OPTION_CHOICE] = {OPTION_TYPE_UNSIGNED, OPTION_TYPE_TEXT},
    [OPTION_SET] = {OPTION_TYPE_UNSIGNED, OPTION_TYPE_UNSIGNED},
    [OPTION_REST] = {OPTION_TYPE_REST, OPTION_TYPE_REST},
};

static void check_row(const struct command *command, const char *path, const struct option_row *row)
{
    const char *name = row->name != NULL ? row->name : row->placeholder;
    if (row->help == NULL || row->help[0] == '\0' || row->help[strlen(row->help) - 1] == '.') {
        fail_msg("%s: %s has no help, or one that ends with a full stop", path, name);
    }
    if (row->kind == OPTION_HEADING) {
        return;
    }
    if (row->kind != OPTION_CALL && row->type != kind_types[row->kind][0] &&
        row->type != kind_types[row->kind][1]) {
        fail_msg("%s: the member of %s has another type than its kind", path, name);
    }
    if ((row->placeholder != NULL) != (option_has_value(row) || row->name == NULL)) {
        fail_msg("%s: %s has a placeholder without a value, or a value without one", path, name);
    }
    bool words = row->kind == OPTION_CHOICE || row->kind == OPTION_SET;
    if ((words && row->words == NULL) || (row->kind == OPTION_CALL && row->take == NULL)) {
        fail_msg("%s: %s has no words, or nothing that takes it", path, name);
    }
    if (row->offset >= command->arguments_size || row->given >= command->arguments_size) {
        fail_msg("%s: %s is stored outside of the structure", path, name);
    }
    if (row->name != NULL &&
        (options_find(command->options, name, strlen(name)) != row ||
         (row->letter != '\0' && options_find_letter(command->options, row->letter) != row))) {
        fail_msg("%s: there are two options %s or -%c", path, name, row->letter);
    }
}

static void check_table(const struct command *command, const char *path)
{
    if (command->summary == NULL || command->description == NULL ||
        command->exit_statuses == NULL ||
        (command->subcommands == NULL) == (command->execute == NULL) ||
        (command->subcommands == NULL) == (command->options == NULL)) {
        fail_msg("%s is not stated whole", path);
    }
    visited++;
    for (const struct option_row *row = command->options; row != NULL && row->kind != OPTION_END;
         row++) {
        check_row(command, path, row);
    }
}

static void every_table_is_whole(void **state)
{
    (void)state;
    visited = 0;
    for_each_command(&command_root, command_root.name, check_table);
    assert_true(visited >= COMMANDS_LEAST);
}

/* A value of the option that is not its default. The caller frees. */
static char *other_value(const struct option_row *row)
{
    const char *standard = row->standard != NULL ? row->standard : "";
    switch (row->kind) {
    case OPTION_CHOICE:
    case OPTION_SET:
        return text_format("%s", row->words[strcmp(row->words[0], standard) == 0 ? 1 : 0]);
    case OPTION_NUMBER:
        return text_format("%.0f", row->least + (row->least < strtod(standard, NULL) ? 0 : 1));
    case OPTION_REAL:
        return text_format("%g", row->least + (row->most - row->least) / 7);
    case OPTION_SHARE:
    case OPTION_PERCENT:
        return text_format("%g%%", 77.0);
    case OPTION_SECONDS:
        return text_format("77s");
    case OPTION_SIZE:
        return text_format("77M");
    default:
        return text_format("%s", row->words != NULL ? row->words[0] : "other");
    }
}

static void check_parsed(const struct command *command, const char *path)
{
    for (const struct option_row *row = command->options; row != NULL && row->kind != OPTION_END;
         row++) {
        if (row->name == NULL) {
            continue;
        }
        struct error error = {.message = ""};
        char *value = other_value(row);
        char *option = text_format("--%s", row->name);
        char *argv[] = {(char *)"command", option, option_has_value(row) ? value : NULL, NULL};
        int argc = option_has_value(row) ? 3 : 2;
        char *without = calloc(1, command->arguments_size);
        char *with = calloc(1, command->arguments_size);
        /* Operands may be missing: that is found last, when everything is stored. */
        (void)options_parse(command->options, without, command->arguments_size, 1, argv, &error);
        (void)options_parse(command->options, with, command->arguments_size, argc, argv, &error);
        size_t bytes = row->type == OPTION_TYPE_BOOL       ? sizeof(bool)
                       : row->type == OPTION_TYPE_UNSIGNED ? sizeof(unsigned)
                                                           : sizeof(uint64_t);
        bool stored = memcmp(with + row->offset, without + row->offset, bytes) != 0;
        if (!stored || (row->given != 0 && !*(bool *)(with + row->given))) {
            fail_msg("%s --%s %s changes nothing: %s", path, row->name, value, error.message);
        }
        options_free(command->options, with);
        options_free(command->options, without);
        free(with);
        free(without);
        free(option);
        free(value);
        visited++;
    }
}

static void every_option_is_parsed(void **state)
{
    (void)state;
    visited = 0;
    for_each_command(&command_root, command_root.name, check_parsed);
    assert_true(visited >= OPTIONS_LEAST);
}

/* What a command of the shell prints on stdout and stderr, "" if nothing; its status. */
static int shell(const char *command, char output[TEXT_MAX])
{
    FILE *file = popen(command, "r");
    assert_non_null(file);
    size_t bytes = fread(output, 1, TEXT_MAX - 1, file);
    output[bytes] = '\0';
    return pclose(file);
}

static size_t columns_of(const char *line, size_t bytes)
{
    size_t columns = 0;
    for (size_t i = 0; i < bytes; i++) {
        columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    }
    return columns;
}

static void check_help(const struct command *command, const char *path)
{
    static char output[TEXT_MAX];
    char *line = text_format("'%s' %s --help", HEAPMILL_PROGRAM, path + strlen(command_root.name));
    assert_int_equal(shell(line, output), 0);
    free(line);
    char *usage = text_format("usage: %s", path);
    assert_int_equal(strncmp(output, usage, strlen(usage)), 0);
    free(usage);
    for (const char *next = output; *next != '\0'; next += strcspn(next, "\n") + 1) {
        size_t bytes = strcspn(next, "\n");
        if (columns_of(next, bytes) > 80 || next[bytes] != '\n') {
            fail_msg("%s --help: too wide: %.*s", path, (int)bytes, next);
        }
    }
    for (const struct option_row *row = command->options; row != NULL && row->kind != OPTION_END;
         row++) {
        char *title =
            row->kind == OPTION_HEADING ? text_format("%s", row->help) : option_title(row);
        if (strstr(output, title) == NULL) {
            fail_msg("%s --help does not have %s", path, title);
        }
        free(title);
    }
}

static void every_help_fits(void **state)
{
    (void)state;
    for_each_command(&command_root, command_root.name, check_help);
}

static void check_manual(const struct command *command, const char *path)
{
    (void)command;
    char *page = text_format("man/%s.1", path);
    for (char *next = page; *next != '\0'; next++) {
        *next = *next == ' ' ? '-' : *next;
    }
    assert_int_equal(access(page, R_OK), 0);
    free(page);
}

static void every_manual_page_is_sound(void **state)
{
    (void)state;
    static char output[TEXT_MAX];
    assert_int_equal(shell("'" HEAPMILL_PROGRAM "' manual -o man", output), 0);
    for_each_command(&command_root, command_root.name, check_manual);
    if (system("command -v man > /dev/null") == 0) {
        assert_int_equal(
            shell("LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l man/*.1 2>&1 > /dev/null", output), 0);
        assert_string_equal(output, "");
    }
    if (system("command -v mandoc > /dev/null") == 0) {
        (void)shell("mandoc -T lint -W error man/*.1 2>&1", output);
        assert_string_equal(output, "");
    }
    assert_int_equal(shell("'" HEAPMILL_PROGRAM "' manual bench", output), 0);
    assert_non_null(strstr(output, ".TH HEAPMILL\\-BENCH 1"));
    assert_int_not_equal(shell("'" HEAPMILL_PROGRAM "' manual bnech 2>&1", output), 0);
    assert_non_null(strstr(output, "heapmill help"));
}

/* What bash offers for the words, a candidate a line; the last word is completed. */
static void bash_completes(const char *words, char output[TEXT_MAX])
{
    char *line = text_format(
        "mkdir -p shell && cp -f /dev/null shell/a-file && mkdir -p shell/a-directory && "
        "cd shell && bash --norc -c '"
        "source <(\"" HEAPMILL_PROGRAM "\" completion bash);"
        "compopt() { :; };" /* bash's is for a completion that a key began */
        "COMP_WORDS=(\"" HEAPMILL_PROGRAM "\" %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
        "_heapmill; printf \"%%s\\n\" \"${COMPREPLY[@]}\"' 2>&1",
        words);
    assert_int_equal(shell(line, output), 0);
    free(line);
}

static void bash_offers_what_may_follow(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        const char *offered; /* all of it, if it ends with a line */
    } cases[] = {
        {"comp", "compare\ncompletion\n"},
        {"fuzz re", "regress\n"},
        {"help fuzz tri", "triage\n"},
        {"compare --rel", "--relative\n"},
        {"compare --", "--base\n--vary\n--best-of\n--relative\n"},
        {"list pl", "plots\n"},
        {"list backends pl", "plots\n"},
        {"plot \"\"", "a-directory\n"},
        {"plot run -o \"\"", "a-directory\n"},
        {"plot run --output = \"\"", "a-directory\n"},
        {"export run --sqlite a-f", "a-file\n"},
        {"plot run --format = pn", "png\n"},
        {"plot run --format svg,", "svg,png\n"},
        {"bench -b pymalloc-3", "pymalloc-3."},
        {"bench -b \"malloc,!nul\"", "malloc,!null\n"},
        {"compare run --metric held", "held_peak\n"},
        {"bench --matrix q", "quick\n"},
        {"leaks -b malloc -- a-f", "a-file\n"},
        {"nothing of the kind", "\n"},
    };
    static char output[TEXT_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bash_completes(cases[i].words, output);
        if (strncmp(output, cases[i].offered, strlen(cases[i].offered)) != 0) {
            fail_msg("heapmill %s: bash offers\n%s", cases[i].words, output);
        }
    }
}

static void other_shells_read_their_scripts(void **state)
{
    (void)state;
    static char output[TEXT_MAX];
    static const char *const lines[] = {
        "command -v zsh > /dev/null || exit 0; '" HEAPMILL_PROGRAM
        "' completion zsh > _heapmill && zsh -n _heapmill 2>&1",
        "command -v fish > /dev/null || exit 0; '" HEAPMILL_PROGRAM
        "' completion fish > heapmill.fish && fish -n heapmill.fish 2>&1",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(shell(lines[i], output), 0);
        assert_string_equal(output, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_whole),
        cmocka_unit_test(every_option_is_parsed),
        cmocka_unit_test(every_help_fits),
        cmocka_unit_test(every_manual_page_is_sound),
        cmocka_unit_test(bash_offers_what_may_follow),
        cmocka_unit_test(other_shells_read_their_scripts),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
