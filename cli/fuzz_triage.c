/* heapmill fuzz triage: lists a campaign's defects, with one line and one reproducer each. */
#include <jansson.h>
#include <stdio.h>

#include "cli/fuzz.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/triage.h"

struct triage_arguments {
    const char *directory;
    double time_s;
    bool json;
};

static const struct option_row triage_options[] = {
    {OPTION_TEXT, .placeholder = "DIR", .help = "a campaign's directory",
     .missing = "say which: one campaign's directory", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct triage_arguments, directory)},
    {OPTION_SECONDS, 0, "time", "T", "time for making one input smaller", "30s",
     OPTION_INTO(struct triage_arguments, time_s)},
    {SHARED_JSON(
        struct triage_arguments, json,
        "an array of {number, kind, text, frames, findings, input, reproducer, command, step}")},
    {.kind = OPTION_END},
};

static void triage_print(const struct fuzz_triage *triage)
{
    for (size_t i = 0; i < triage->count; i++) {
        const struct fuzz_triage_group *group = &triage->groups[i];
        const struct fuzz_signature *signature = &group->signature;
        (void)printf("%zu. %s%s%s\n", i + 1, signature->kind,
                     signature->text[0] != '\0' ? ": " : "", signature->text);
        for (size_t j = 0; j < FUZZ_FRAMES && signature->frames[j] != NULL; j++) {
            (void)printf("     in %s, %s\n", signature->frames[j], signature->places[j]);
        }
        (void)printf("     %zu finding%s; %zu bytes made %zu: %s\n", group->findings.count,
                     group->findings.count == 1 ? "" : "s", group->minimised.size_before,
                     group->minimised.size, group->input);
        if (group->reproducer[0] != '\0') {
            (void)printf("     reproducer: %s (its cc line is in it)\n", group->reproducer);
        }
        if (group->step != NULL) {
            (void)printf("     first seen: %s\n", group->step);
        }
        (void)printf("     among the tests: cp %s fuzz/regressions/%s/NAME\n", group->input,
                     triage->program->target);
    }
    for (size_t i = 0; i < triage->passing.count; i++) {
        (void)printf("passes when it is run alone: %s/%s\n", triage->directory,
                     triage->passing.items[i]);
    }
    if (triage->count == 0 && triage->passing.count == 0) {
        (void)printf("%s: no findings\n", triage->directory);
    }
}

static void triage_print_json(const struct fuzz_triage *triage)
{
    json_t *all = json_array();
    for (size_t i = 0; i < triage->count; i++) {
        const struct fuzz_triage_group *group = &triage->groups[i];
        json_t *frames = json_array();
        json_t *findings = json_array();
        for (size_t j = 0; j < FUZZ_FRAMES && group->signature.frames[j] != NULL; j++) {
            (void)json_array_append_new(frames, json_string(group->signature.frames[j]));
        }
        for (size_t j = 0; j < group->findings.count; j++) {
            (void)json_array_append_new(findings, json_string(group->findings.items[j]));
        }
        (void)json_array_append_new(
            all, json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:I, s:s, s:s, s:s?}", "number",
                           (json_int_t)i + 1, "kind", group->signature.kind, "text",
                           group->signature.text, "frames", frames, "findings", findings, "input",
                           group->input, "bytes", (json_int_t)group->minimised.size, "reproducer",
                           group->reproducer, "command", group->command, "step", group->step));
    }
    json_print(all);
    json_decref(all);
}

static int triage_execute(const struct invocation *invocation, void *arguments)
{
    const struct triage_arguments *asked = arguments;
    struct fuzz_triage triage;
    struct error error;
    process_prepare_signals();
    enum status status = fuzz_triage_run(asked->directory, asked->time_s, &triage, &error);
    /* An input that no longer fails was still found. */
    int exit_status = triage.count > 0 || triage.passing.count > 0 ? EXIT_FINDING : EXIT_CLEAN;
    if (status != STATUS_OK) {
        exit_status = fuzz_report(invocation, &error);
    } else if (asked->json) {
        triage_print_json(&triage);
    } else {
        triage_print(&triage);
    }
    fuzz_triage_release(&triage);
    return exit_status;
}
const struct command fuzz_triage_command = {
    .name = "triage",
    .summary = "lists a campaign's defects, with one line and one reproducer each",
    .description = "Replays each finding of the campaign in DIR. Findings with the same oracle and "
                   "the same innermost functions of heapmill are one defect. Makes the smallest "
                   "input of each defect smaller, and writes to DIR/triage, for defect number N:\n"
                   "\n"
                   "  N.input   the input: fuzz/regressions/TARGET takes it among the tests\n"
                   "  N.c       a C program that fails likewise, with the cc line that builds it\n"
                   "  N.txt     the output of the failing run, and which operation broke it first\n"
                   "\n"
                   "If a finding passes when it is run alone, it needs what ran before it. It is "
                   "named, and remains a finding.",
    .options = triage_options,
    .arguments_size = sizeof(struct triage_arguments),
    .examples = "heapmill fuzz triage night",
    .exit_statuses = "0 there are no findings; 1 there are; 2 wrong usage; 3 a build is missing; "
                     "130 interrupted",
    .execute = triage_execute,
};
