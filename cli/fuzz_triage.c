/* heapmill fuzz triage: what a campaign found, one line and one reproducer a defect. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fuzz.h"
#include "common/host/files.h"
#include "common/host/process.h"
#include "fuzz/campaign/log.h"
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
    {OPTION_SECONDS, 0, "time", "T", "for making one input smaller", "30s",
     OPTION_INTO(struct triage_arguments, time_s)},
    {SHARED_JSON(struct triage_arguments, json,
                 "an array of {number, kind, text, frames, findings, input, reproducer, command}")},
    {.kind = OPTION_END},
};

/* Findings that are taken for one defect. */
struct triage_group {
    struct fuzz_signature signature;
    struct fuzz_failure failure;
    struct text_list findings; /* paths below the campaign's directory */
    size_t smallest;           /* index of the smallest */
    size_t smallest_bytes;
    struct fuzz_minimised minimised;
    char *input;
    char *reproducer; /* "" if there is none */
    char *command;    /* "" likewise */
};

struct triage {
    const char *directory;
    double time_s;
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    const char *library;
    struct triage_group *groups;
    size_t count;
    struct text_list passing; /* findings that fail in no build that there is */
};

static size_t triage_size(const char *path)
{
    char *bytes;
    size_t size = 0;
    (void)file_read(path, &bytes, &size, NULL);
    free(bytes);
    return size;
}

static struct triage_group *triage_find_group(struct triage *triage,
                                              const struct fuzz_signature *signature)
{
    for (size_t i = 0; i < triage->count; i++) {
        if (strcmp(triage->groups[i].signature.key, signature->key) == 0) {
            return &triage->groups[i];
        }
    }
    return NULL;
}

/* Takes the signature. */
static void triage_add(struct triage *triage, const struct fuzz_failure *failure,
                       struct fuzz_signature *signature, const char *finding, const char *path)
{
    size_t bytes = triage_size(path);
    struct triage_group *group = triage_find_group(triage, signature);
    if (group == NULL) {
        triage->groups = text_grow(triage->groups, triage->count + 1, sizeof(*triage->groups));
        group = &triage->groups[triage->count++];
        *group = (struct triage_group){
            .signature = *signature, .failure = *failure, .smallest_bytes = bytes};
    } else {
        fuzz_signature_release(signature);
    }
    if (bytes < group->smallest_bytes) {
        group->smallest = group->findings.count;
        group->smallest_bytes = bytes;
    }
    text_list_add(&group->findings, text_format("%s", finding));
}

static enum status triage_sort(struct triage *triage, struct error *error)
{
    struct text_list names = {0};
    char *findings = text_format("%s/findings", triage->directory);
    file_list_names(findings, &names);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        struct fuzz_signature signature;
        struct fuzz_failure failure;
        bool failed = false;
        char *path = text_format("%s/%s", findings, names.items[i]);
        char *finding = text_format("findings/%s", names.items[i]);
        status = fuzz_triage_find(triage->program, path, triage->library, &failure, &signature,
                                  &failed, error);
        if (status == STATUS_OK && failed) {
            triage_add(triage, &failure, &signature, finding, path);
        } else if (status == STATUS_OK) {
            text_list_add(&triage->passing, text_format("%s", finding));
        }
        free(finding);
        free(path);
    }
    text_list_free(&names);
    free(findings);
    return status;
}

/* N.txt: what the run says of the smaller input, with names of functions. */
static enum status triage_write_report(const struct triage_group *group, const char *path,
                                       struct error *error)
{
    const struct fuzz_signature *signature = &group->signature;
    struct text_list lines = {0};
    text_list_add(&lines, text_format("%s", signature->kind));
    text_list_add(&lines, text_format("%s", signature->text));
    for (size_t i = 0; i < FUZZ_FRAMES && signature->frames[i] != NULL; i++) {
        text_list_add(&lines,
                      text_format("  in %s, %s", signature->frames[i], signature->places[i]));
    }
    text_list_add(&lines, text_format("%zu findings; %zu bytes, made %zu in %zu trials",
                                      group->findings.count, group->minimised.size_before,
                                      group->minimised.size, group->minimised.tests));
    text_list_add(&lines,
                  text_format("replay: %s %s", group->failure.program->paths[group->failure.tree],
                              group->input));
    text_list_add(&lines, text_format("build the reproducer: %s", group->command));
    for (size_t i = 0; i < group->findings.count; i++) {
        text_list_add(&lines, text_format("  %s", group->findings.items[i]));
    }
    text_list_add(&lines, text_format("%s", ""));
    char *text = text_join(&lines, "\n");
    enum status status = file_write(path, text, strlen(text), error);
    free(text);
    text_list_free(&lines);
    return status;
}

static enum status triage_finish_group(struct triage *triage, size_t index, struct error *error)
{
    struct triage_group *group = &triage->groups[index];
    char *base = text_format("%s/triage/%zu", triage->directory, index + 1);
    char *from = text_format("%s/%s", triage->directory, group->findings.items[group->smallest]);
    char *report = text_format("%s.txt", base);
    char *source = text_format("%s.c", base);
    group->input = text_format("%s.input", base);
    enum status status = fuzz_triage_minimise(&group->failure, from, group->input, triage->time_s,
                                              &group->minimised, error);
    if (status == STATUS_OK) {
        struct error why;
        enum status written =
            fuzz_triage_write_reproducer(&triage->catalog, &group->failure, &group->signature,
                                         group->input, source, &group->command, &why);
        if (written != STATUS_OK) {
            (void)fprintf(stderr, "heapmill fuzz triage: %s\n", why.message);
        }
        group->reproducer = text_format("%s", written == STATUS_OK ? source : "");
        group->command = group->command != NULL ? group->command : text_format("%s", "");
        status = triage_write_report(group, report, error);
    }
    free(source);
    free(report);
    free(from);
    free(base);
    return status;
}

static void triage_print(const struct triage *triage)
{
    for (size_t i = 0; i < triage->count; i++) {
        const struct triage_group *group = &triage->groups[i];
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
        (void)printf("     among the tests: cp %s fuzz/regressions/%s/NAME\n", group->input,
                     triage->program->target);
    }
    for (size_t i = 0; i < triage->passing.count; i++) {
        (void)printf("passes now: %s/%s\n", triage->directory, triage->passing.items[i]);
    }
    if (triage->count == 0 && triage->passing.count == 0) {
        (void)printf("%s: no findings\n", triage->directory);
    }
}

static void triage_print_json(const struct triage *triage)
{
    json_t *all = json_array();
    for (size_t i = 0; i < triage->count; i++) {
        const struct triage_group *group = &triage->groups[i];
        json_t *frames = json_array();
        json_t *findings = json_array();
        for (size_t j = 0; j < FUZZ_FRAMES && group->signature.frames[j] != NULL; j++) {
            (void)json_array_append_new(frames, json_string(group->signature.frames[j]));
        }
        for (size_t j = 0; j < group->findings.count; j++) {
            (void)json_array_append_new(findings, json_string(group->findings.items[j]));
        }
        (void)json_array_append_new(
            all, json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:I, s:s, s:s}", "number",
                           (json_int_t)i + 1, "kind", group->signature.kind, "text",
                           group->signature.text, "frames", frames, "findings", findings, "input",
                           group->input, "bytes", (json_int_t)group->minimised.size, "reproducer",
                           group->reproducer, "command", group->command));
    }
    (void)json_dumpf(all, stdout, JSON_INDENT(1));
    (void)putchar('\n');
    json_decref(all);
}

static void triage_release(struct triage *triage)
{
    for (size_t i = 0; i < triage->count; i++) {
        fuzz_signature_release(&triage->groups[i].signature);
        text_list_free(&triage->groups[i].findings);
        free(triage->groups[i].input);
        free(triage->groups[i].reproducer);
        free(triage->groups[i].command);
    }
    free(triage->groups);
    text_list_free(&triage->passing);
    fuzz_catalog_close(&triage->catalog);
}

static const char *triage_text(const json_t *plan, const char *name)
{
    const char *text = json_string_value(json_object_get(plan, name));
    return text != NULL ? text : "";
}

static enum status triage_all(struct triage *triage, const json_t *plan, struct error *error)
{
    char *output = text_format("%s/triage", triage->directory);
    triage->library = triage_text(plan, "library");
    enum status status = fuzz_catalog_find(&triage->catalog, triage_text(plan, "target"),
                                           triage_text(plan, "backend"), triage_text(plan, "bug"),
                                           &triage->program, error);
    if (status == STATUS_OK) {
        status = file_make_directory(output, error);
    }
    if (status == STATUS_OK) {
        status = triage_sort(triage, error);
    }
    for (size_t i = 0; i < triage->count && status == STATUS_OK; i++) {
        status = triage_finish_group(triage, i, error);
    }
    free(output);
    return status;
}

static int triage_execute(const struct invocation *invocation, void *arguments)
{
    const struct triage_arguments *asked = arguments;
    struct triage triage = {.directory = asked->directory, .time_s = asked->time_s};
    struct error error;
    json_t *plan = NULL;
    json_t *lines = NULL;
    process_prepare_signals();
    enum status status =
        fuzz_log_read(&fuzz_campaign_journal, asked->directory, &plan, &lines, &error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_open(&triage.catalog, &error);
    }
    if (status == STATUS_OK) {
        status = triage_all(&triage, plan, &error);
    }
    int exit_status = triage.count > 0 ? EXIT_FINDING : EXIT_CLEAN;
    if (status != STATUS_OK) {
        exit_status = fuzz_report(invocation, &error);
    } else if (asked->json) {
        triage_print_json(&triage);
    } else {
        triage_print(&triage);
    }
    triage_release(&triage);
    json_decref(plan);
    json_decref(lines);
    return exit_status;
}
const struct command fuzz_triage_command = {
    .name = "triage",
    .summary = "what a campaign found: one line and one reproducer a defect",
    .description =
        "Replays each finding of the campaign in DIR, takes those with the same oracle and the "
        "same innermost functions of ours for one defect, makes the smallest input of each smaller "
        "still, and writes to DIR/triage, for the defect number N:\n"
        "\n"
        "  N.input   the input: fuzz/regressions/TARGET takes it among the tests\n"
        "  N.c       a C program that fails likewise, with the cc line that builds it\n"
        "  N.txt     what the failing run says",
    .options = triage_options,
    .arguments_size = sizeof(struct triage_arguments),
    .examples = "heapmill fuzz triage night",
    .exit_statuses = "0 there are no findings; 1 there are; 2 wrong usage; 3 a build is missing; "
                     "130 interrupted",
    .execute = triage_execute,
};
