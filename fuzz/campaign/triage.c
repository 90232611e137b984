#include "fuzz/campaign/triage.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/campaign/log.h"

static size_t triage_size(const char *path)
{
    char *bytes;
    size_t size = 0;
    (void)file_read(path, &bytes, &size, NULL);
    free(bytes);
    return size;
}

static struct fuzz_triage_group *triage_find_group(struct fuzz_triage *triage,
                                                   const struct fuzz_signature *signature)
{
    for (size_t i = 0; i < triage->count; i++) {
        if (strcmp(triage->groups[i].signature.key, signature->key) == 0) {
            return &triage->groups[i];
        }
    }
    return NULL;
}

/* Adds a finding to its group. Takes over the signature. */
static void triage_add(struct fuzz_triage *triage, const struct fuzz_failure *failure,
                       struct fuzz_signature *signature, const char *finding, const char *path)
{
    size_t bytes = triage_size(path);
    struct fuzz_triage_group *group = triage_find_group(triage, signature);
    if (group == NULL) {
        triage->groups = text_grow(triage->groups, triage->count + 1, sizeof(*triage->groups));
        group = &triage->groups[triage->count++];
        *group = (struct fuzz_triage_group){
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

/* Keeps a string until the triage is released. */
static const char *triage_keep(struct fuzz_triage *triage, char *text)
{
    text_list_add(&triage->keys, text);
    return text;
}

static enum status triage_sort(struct fuzz_triage *triage, struct error *error)
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
        struct fuzz_subject subject = triage->subject;
        subject.only = triage_keep(triage, fuzz_deviation_key(names.items[i]));
        status =
            fuzz_triage_find(triage->program, path, &subject, &failure, &signature, &failed, error);
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

/* Writes N.txt: the output for the smaller input, with names of functions. */
static enum status triage_write_report(const struct fuzz_triage_group *group, const char *path,
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
    char *prefix = fuzz_subject_prefix(&group->failure.subject);
    text_list_add(&lines,
                  text_format("replay: %s%s %s", prefix,
                              group->failure.program->paths[group->failure.tree], group->input));
    free(prefix);
    if (group->step != NULL) {
        text_list_add(&lines, text_format("first seen: %s", group->step));
    }
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

static enum status triage_finish_group(struct fuzz_triage *triage, size_t index,
                                       struct error *error)
{
    struct fuzz_triage_group *group = &triage->groups[index];
    char *base = text_format("%s/triage/%zu", triage->directory, index + 1);
    char *from = text_format("%s/%s", triage->directory, group->findings.items[group->smallest]);
    char *report = text_format("%s.txt", base);
    char *source = text_format("%s.c", base);
    group->input = text_format("%s.input", base);
    enum status status = fuzz_triage_minimise(&group->failure, from, group->input, triage->time_s,
                                              &group->minimised, error);
    if (status == STATUS_OK) {
        status = fuzz_triage_find_step(&group->failure, &group->signature, group->input,
                                       &group->step, error);
    }
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

static enum status triage_all(struct fuzz_triage *triage, struct error *error)
{
    char *output = text_format("%s/triage", triage->directory);
    triage->subject = (struct fuzz_subject){.library = json_text_at(triage->plan, "library", ""),
                                            .profile = json_text_at(triage->plan, "profile", ""),
                                            .skip = json_text_at(triage->plan, "skip", "")};
    enum status status =
        fuzz_catalog_find(&triage->catalog, json_text_at(triage->plan, "target", ""),
                          json_text_at(triage->plan, "backend", ""),
                          json_text_at(triage->plan, "bug", ""), &triage->program, error);
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

enum status fuzz_triage_run(const char *directory, double time_s, struct fuzz_triage *triage,
                            struct error *error)
{
    json_t *lines = NULL;
    *triage = (struct fuzz_triage){.directory = directory, .time_s = time_s};
    enum status status =
        fuzz_log_read(&fuzz_campaign_journal, directory, &triage->plan, &lines, error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_open(&triage->catalog, error);
    }
    if (status == STATUS_OK) {
        status = triage_all(triage, error);
    }
    json_decref(lines);
    return status;
}

void fuzz_triage_release(struct fuzz_triage *triage)
{
    for (size_t i = 0; i < triage->count; i++) {
        fuzz_signature_release(&triage->groups[i].signature);
        text_list_free(&triage->groups[i].findings);
        free(triage->groups[i].input);
        free(triage->groups[i].reproducer);
        free(triage->groups[i].command);
        free(triage->groups[i].step);
    }
    free(triage->groups);
    text_list_free(&triage->passing);
    text_list_free(&triage->keys);
    fuzz_catalog_close(&triage->catalog);
    json_decref(triage->plan);
}
