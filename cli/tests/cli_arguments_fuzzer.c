/* cli_arguments: command lines of every command and the small languages inside them.
 *
 * The input is one argument a line. Oracles: the parsers end, touch no memory that is not theirs,
 * say what is wrong, and what they take is in range; a number that was read is what was written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/command.h"
#include "common/host/text.h"
#include "fuzz/bytes.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/oracle.h"
#include "results/name_filter.h"
#include "run/selection.h"

enum { ARGUMENTS_MAX = 64 };

static void arguments_expect_told(enum status status, const struct error *error)
{
    FUZZ_EXPECT(status == STATUS_OK || error->message[0] != '\0', "message",
                "status %d without a sentence", (int)status);
}

static void arguments_try_options(int argc, char **argv)
{
    struct bench_options options;
    struct error error = {0};
    enum status status = command_parse(&command_bench, &options, argc, argv, &error);
    arguments_expect_told(status, &error);
    if (status == STATUS_OK) {
        FUZZ_EXPECT(options.experiment.timeout_s > 0 && isfinite(options.experiment.timeout_s) &&
                        options.experiment.target_ms > 0 &&
                        isfinite(options.experiment.target_ms) &&
                        options.experiment.budget_s >= 0 && isfinite(options.experiment.budget_s),
                    "range", "a time is not one: timeout %g s, target %g ms, budget %g s",
                    options.experiment.timeout_s, options.experiment.target_ms,
                    options.experiment.budget_s);
        FUZZ_EXPECT(options.experiment.precision >= 0 && isfinite(options.experiment.precision),
                    "range", "a precision of %g", options.experiment.precision);
    }
    options_free(bench_option_rows, &options);
}

/* The same words as the arguments of every command, its subcommands too. */
static void arguments_try_commands(const struct command *command, int argc, char **argv)
{
    for (size_t i = 0; command->subcommands != NULL && command->subcommands[i] != NULL; i++) {
        arguments_try_commands(command->subcommands[i], argc, argv);
    }
    if (command->options != NULL) {
        struct error error = {0};
        void *arguments = text_grow(NULL, 1, command->arguments_size);
        arguments_expect_told(command_parse(command, arguments, argc, argv, &error), &error);
        options_free(command->options, arguments);
        free(arguments);
    }
}

static void arguments_try_numbers(const char *text)
{
    double number;
    uint64_t whole;
    if (text_to_double(text, &number)) {
        FUZZ_EXPECT(isfinite(number), "number", "\"%s\" is not finite", text);
    }
    if (text_to_u64(text, &whole)) {
        char again[32];
        const char *digits = text + strspn(text, "0");
        (void)snprintf(again, sizeof(again), "%llu", (unsigned long long)whole);
        FUZZ_EXPECT(strcmp(whole == 0 ? "0" : digits, again) == 0 || *digits == '\0', "number",
                    "\"%s\" is read as %s", text, again);
    }
    if (text_to_seconds(text, &number)) {
        char said[64];
        FUZZ_EXPECT(number > 0 && isfinite(number), "number", "\"%s\" are no seconds", text);
        text_of_seconds(said, sizeof(said), number);
        FUZZ_EXPECT(strlen(said) < sizeof(said), "number", "a duration has no end");
    }
}

static void arguments_try_lists(const char *text, const char *other)
{
    static const char *const names[] = {"malloc", "pymalloc-3.10", "freelist-2.7", "churn"};
    struct text_list list = {0};
    text_split(&list, text, ',');
    char *joined = text_join(&list, ",");
    FUZZ_EXPECT(strcmp(joined, text) == 0, "split", "what was split is joined to something else");
    free(joined);
    text_list_free(&list);
    (void)text_nearest(text, names, sizeof(names) / sizeof(names[0]));
    (void)name_filter_matches(text, other);
    struct selection selection = {0};
    struct error error = {0};
    enum status status = selection_set_threads(&selection, text, &error);
    arguments_expect_told(status, &error);
    FUZZ_EXPECT(selection.thread_count_count <= SELECTION_THREADS_MAX, "range", "%zu thread counts",
                selection.thread_count_count);
    selection_free(&selection);
}

static void cli_arguments_run(const uint8_t *data, size_t size)
{
    fuzz_begin();
    char *text = malloc(size + 1);
    if (text == NULL) {
        return;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    static char program[] = "bench";
    char *argv[ARGUMENTS_MAX + 2] = {program};
    int argc = 1;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL && argc <= ARGUMENTS_MAX;
         line = strsep(&rest, "\n")) {
        argv[argc++] = line;
    }
    argv[argc] = NULL;
    for (int i = 1; i < argc; i++) {
        fuzz_count_operation();
        arguments_try_numbers(argv[i]);
        arguments_try_lists(argv[i], argv[argc - 1]);
    }
    arguments_try_options(argc, argv);
    arguments_try_commands(&command_root, argc, argv);
    free(text);
}

static size_t cli_arguments_generate(uint8_t *data, size_t capacity, size_t operations,
                                     struct rng *rng)
{
    static const char *const words[] = {"\n--rounds\n",
                                        "auto",
                                        "\n--precision\n",
                                        "1%",
                                        "\n--budget\n",
                                        "90s",
                                        "\n--threads\n",
                                        "1,2,4",
                                        "\n-b\n",
                                        "pymalloc*,!null",
                                        "malloc{A=1,B=2}",
                                        "\n-w\n",
                                        "\n-p\n",
                                        "live=1,2",
                                        "churn.size=16",
                                        "\n--latency\n",
                                        "\n--metric\n",
                                        "time,memory",
                                        "1e9",
                                        "18446744073709551616",
                                        "0x10",
                                        "-1",
                                        "nan",
                                        "inf",
                                        NULL};
    (void)operations;
    return bytes_generate(data, capacity, "-b\nmalloc,null\n-w\nchurn\n--rounds\n3\n--seed\n7",
                          words, rng);
}

const struct fuzz_target fuzz_target_cli_arguments = {
    .name = "cli_arguments",
    .summary = "command lines of heapmill bench, and the lists, numbers and filters in them",
    .format = "bytes",
    .run = cli_arguments_run,
    .print = bytes_print,
    .generate = cli_arguments_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cli_arguments_run(data, size);
    return 0;
}
