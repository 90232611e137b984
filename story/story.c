/* Tells the story: a line after the other, each a statement or a part of a paragraph.
 *
 *   = NAME: TITLE          a section, which --section may name
 *   == TITLE               a part of it
 *   @run NAME: COMMAND     an experiment (runs.h); its figures are NAME/…
 *   @let NAME: EXPRESSION  a figure worked out of others (figures.h)
 *   @claim EXPRESSION: SENTENCE
 *   @same ROWS COLUMN ROWS COLUMN: SENTENCE
 *   @table …, @curves …, @figures …   what is shown (show.h)
 *   @rows CAPTION: TITLE | TITLE…, and below it for each row @row CELL | CELL…
 *   @picture RUN NAME: WHAT IT SHOWS
 *   @try COMMAND           what a reader may go on with
 *   # a remark
 *
 * Other lines are paragraphs, with an empty line between. A sentence whose figures this machine
 * lacks is left out, and so is a claim; a name that nothing explains is an error of the text. */
#include "story/story.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/files.h"
#include "report/page.h"
#include "story/runs.h"
#include "story/show.h"

struct story {
    const struct story_options *options;
    struct story_result *result;
    struct report_options report_options;
    struct report report;
    struct run_place place;
    struct figures figures;
    json_t *answers; /* by the experiment's command */
    struct document *document;
    size_t line;
    size_t left_out;    /* sentences and claims of this section that were left out */
    bool told;          /* this section was requested */
    struct table *rows; /* of the last @rows; NULL: this section has none */
    bool trying;        /* the statement before this one was `try` */
};

typedef enum status story_statement(struct story *story, const char *rest, struct error *error);

/* Leaves out a sentence if this machine has no figure for it. All other errors are errors of the
 * story. */
static enum status story_leave_out(struct story *story, enum status status)
{
    story->left_out += status == STATUS_UNSUPPORTED;
    return status == STATUS_UNSUPPORTED ? STATUS_OK : status;
}

/* ------------------------------------------------------------------------------------ sections */

static void story_end_section(struct story *story)
{
    if (story->left_out > 0) {
        document_add(story->document, BLOCK_NOTE,
                     "%zu sentences of this section are left out, as this machine lacks what they "
                     "speak of; the end of the page says what that is.",
                     story->left_out);
    }
    story->left_out = 0;
    story->rows = NULL;
}

static bool story_is_wanted(const struct story *story, const char *name)
{
    struct text_list wanted = {0};
    bool found = story->options->sections == NULL;
    text_split(&wanted, found ? "" : story->options->sections, ',');
    for (size_t i = 0; i < wanted.count; i++) {
        found = found || strcmp(wanted.items[i], name) == 0;
    }
    text_list_free(&wanted);
    return found;
}

static enum status story_section(struct story *story, const char *rest, struct error *error)
{
    const char *colon = strstr(rest, ": ");
    if (colon == NULL) {
        return error_set(error, STATUS_CORRUPT, "a section wants NAME: TITLE");
    }
    story_end_section(story);
    char *name = text_format("%.*s", (int)(colon - rest), rest);
    story->told = story_is_wanted(story, name);
    if (story->told) {
        document_heading(story->document, 1, "%s", colon + 2);
        document_anchor(story->document, "%s", name);
    }
    free(name);
    return STATUS_OK;
}

static enum status story_part(struct story *story, const char *rest, struct error *error)
{
    (void)error;
    document_heading(story->document, 2, "%s", rest);
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------ figures */

/* "NAME: REST". */
static enum status story_name(const char *rest, char **name, const char **after,
                              struct error *error)
{
    const char *colon = strstr(rest, ": ");
    if (colon == NULL) {
        return error_set(error, STATUS_CORRUPT, "'%s' wants a colon", rest);
    }
    *name = text_format("%.*s", (int)(colon - rest), rest);
    *after = colon + 2;
    return STATUS_OK;
}

static enum status story_run(struct story *story, const char *rest, struct error *error)
{
    char *name = NULL;
    char *command = NULL;
    const char *asked;
    json_t *answer = NULL;
    uint64_t begin = clock_wall_ns();
    enum status status = story_name(rest, &name, &asked, error);
    if (status == STATUS_OK) {
        if (story->options->progress) {
            (void)fprintf(stderr, "heapmill story: %s\n", asked);
        }
        status =
            run_experiment(&story->place, asked, &answer, &command, &story->result->lacks, error);
        (void)json_object_set_new(story->figures.answers, name, answer);
        story->report.number++;
    }
    if (status == STATUS_OK && command != NULL) {
        document_add(story->document, BLOCK_PARAGRAPH, "The experiment, which took %.0f s here:",
                     (double)(clock_wall_ns() - begin) / 1e9);
        document_add(story->document, BLOCK_QUOTE, "%s", command);
    }
    free(command);
    free(name);
    return status;
}

static enum status story_let(struct story *story, const char *rest, struct error *error)
{
    char *name = NULL;
    const char *expression;
    double value = 0;
    enum status status = story_name(rest, &name, &expression, error);
    if (status == STATUS_OK) {
        status = figures_evaluate(&story->figures, expression, &value, error);
    }
    if (status == STATUS_OK || status == STATUS_UNSUPPORTED) {
        (void)json_object_set_new(story->figures.lets, name,
                                  status == STATUS_OK ? json_real(value) : json_null());
        status = STATUS_OK;
    }
    free(name);
    return status;
}

/* ------------------------------------------------------------------------------------- claims */

/* Adds a sentence: as a line if the run confirms it, otherwise as a warning that says so. */
static enum status story_judge(struct story *story, bool holds, const char *because,
                               const char *sentence, struct error *error)
{
    char *text = NULL;
    enum status status = figures_expand(&story->figures, sentence, &text, error);
    if (status == STATUS_OK && holds) {
        story->result->held++;
        document_line(story->document, "%s", text);
    } else if (status == STATUS_OK) {
        char *complaint = text_format("This run says otherwise. Expected: %s But %s does not hold.",
                                      text, because);
        document_add(story->document, BLOCK_WARNING, "%s", complaint);
        text_list_add(&story->result->contradicted, complaint);
    }
    free(text);
    return status;
}

static enum status story_claim(struct story *story, const char *rest, struct error *error)
{
    char *expression = NULL;
    const char *sentence;
    double holds = 0;
    enum status status = story_name(rest, &expression, &sentence, error);
    if (status == STATUS_OK) {
        status = figures_evaluate(&story->figures, expression, &holds, error);
    }
    if (status == STATUS_OK) {
        status = story_judge(story, holds == 1, expression, sentence, error);
    }
    free(expression);
    return story_leave_out(story, status);
}

static enum status story_same(struct story *story, const char *rest, struct error *error)
{
    char *columns = NULL;
    const char *sentence;
    bool same = false;
    enum status status = story_name(rest, &columns, &sentence, error);
    if (status == STATUS_OK) {
        status = show_is_same(&story->figures, columns, &same, error);
    }
    if (status == STATUS_OK) {
        status = story_judge(story, same, "that both columns are the same", sentence, error);
    }
    free(columns);
    return story_leave_out(story, status);
}

/* --------------------------------------------------------------------------------- tables and
 * figures */

static enum status story_table(struct story *story, const char *rest, struct error *error)
{
    return story_leave_out(story, show_table(&story->figures, rest, story->document, error));
}

static enum status story_curves(struct story *story, const char *rest, struct error *error)
{
    return story_leave_out(story,
                           show_curves(&story->figures, &story->report, story->options->output,
                                       rest, story->document, error));
}

/* Does the run have figures? */
static bool story_has_run(const struct story *story, const char *rest)
{
    char *name = text_format("%.*s", (int)strcspn(rest, " "), rest);
    const json_t *answer = json_object_get(story->figures.answers, name);
    const json_t *absent = json_object_get(answer, "absent");
    bool whole = answer != NULL;
    for (size_t i = 0; i < json_array_size(absent); i++) {
        whole = whole && strcmp(json_string_value(json_array_get(absent, i)), "*") != 0;
    }
    free(name);
    return whole;
}

static enum status story_figures(struct story *story, const char *rest, struct error *error)
{
    return story_has_run(story, rest)
               ? show_figures(&story->report, story->options->output, rest, story->document, error)
               : STATUS_OK;
}

static enum status story_picture(struct story *story, const char *rest, struct error *error)
{
    struct text_list words = {0};
    char *where = NULL;
    const char *what;
    enum status status = story_name(rest, &where, &what, error);
    text_split(&words, where != NULL ? where : "", ' ');
    if (status == STATUS_OK && words.count == 2 && story_has_run(story, words.items[0])) {
        char *directory = text_format("%s/%s", story->options->output, words.items[0]);
        report_add_figure(&story->report, directory, words.items[1], what, story->options->command,
                          story->document);
        free(directory);
    }
    text_list_free(&words);
    free(where);
    return status;
}

/* Splits at bars into cells, without the blanks around them. */
static void story_split_cells(struct text_list *cells, const char *text)
{
    struct text_list raw = {0};
    text_split(&raw, text, '|');
    for (size_t i = 0; i < raw.count; i++) {
        const char *cell = raw.items[i] + strspn(raw.items[i], " ");
        size_t length = strlen(cell);
        while (length > 0 && cell[length - 1] == ' ') {
            length--;
        }
        text_list_add(cells, text_format("%.*s", (int)length, cell));
    }
    text_list_free(&raw);
}

static enum status story_rows(struct story *story, const char *rest, struct error *error)
{
    char *caption = NULL;
    const char *titles;
    struct text_list cells = {0};
    enum status status = story_name(rest, &caption, &titles, error);
    if (status == STATUS_OK) {
        story->rows = document_table(story->document, "story");
        table_caption(story->rows, false, "%s", caption);
        story_split_cells(&cells, titles);
        table_columns(story->rows, (const char *const *)cells.items, cells.count, cells.count);
    }
    text_list_free(&cells);
    free(caption);
    return status;
}

static enum status story_row(struct story *story, const char *rest, struct error *error)
{
    struct text_list cells = {0};
    enum status status = STATUS_OK;
    story_split_cells(&cells, rest);
    if (story->rows == NULL || cells.count != story->rows->column_count) {
        status = error_set(error, STATUS_CORRUPT, "a @row wants the cells of its @rows");
    } else {
        table_row(story->rows);
    }
    for (size_t i = 0; i < cells.count && status == STATUS_OK; i++) {
        char *text = NULL;
        status = figures_expand(&story->figures, cells.items[i], &text, error);
        if (status != STATUS_CORRUPT) {
            table_cell(story->rows, i, "%s", text != NULL ? text : "not here");
            status = STATUS_OK;
        }
        free(text);
    }
    text_list_free(&cells);
    return status;
}

static enum status story_try(struct story *story, const char *rest, struct error *error)
{
    (void)error;
    if (!story->trying) {
        document_add(story->document, BLOCK_PARAGRAPH,
                     "Try it yourself, in the folder of this page:");
    }
    document_add(story->document, BLOCK_QUOTE, "%s", rest);
    return STATUS_OK;
}

static enum status story_remark(struct story *story, const char *rest, struct error *error)
{
    (void)story;
    (void)rest;
    (void)error;
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------ telling */

static const struct {
    const char *word;
    story_statement *tell;
} story_statements[] = {
    {"=", story_section},    {"==", story_part},          {"@run", story_run},
    {"@let", story_let},     {"@claim", story_claim},     {"@same", story_same},
    {"@table", story_table}, {"@curves", story_curves},   {"@figures", story_figures},
    {"@try", story_try},     {"@picture", story_picture}, {"@rows", story_rows},
    {"@row", story_row},     {"#", story_remark},
};

static enum status story_tell_paragraph(struct story *story, struct text_list *lines,
                                        struct error *error)
{
    char *text = NULL;
    char *sentence = text_join(lines, " ");
    enum status status = STATUS_OK;
    if (lines->count > 0 && story->told) {
        status = figures_expand(&story->figures, sentence, &text, error);
        if (status == STATUS_OK) {
            document_add(story->document, BLOCK_PARAGRAPH, "%s", text);
        }
        story->trying = false;
    }
    free(sentence);
    free(text);
    text_list_free(lines);
    *lines = (struct text_list){0};
    return story_leave_out(story, status);
}

/* The statement of the line; NULL: the line belongs to a paragraph. *rest is borrowed from it. */
static story_statement *story_find_statement(const char *line, const char **rest)
{
    size_t length = strcspn(line, " ");
    for (size_t i = 0; i < sizeof(story_statements) / sizeof(story_statements[0]); i++) {
        if (strlen(story_statements[i].word) == length && line[length] == ' ' &&
            strncmp(line, story_statements[i].word, length) == 0) {
            *rest = line + length + 1;
            return story_statements[i].tell;
        }
    }
    return NULL;
}

static enum status story_tell_line(struct story *story, const char *line,
                                   struct text_list *paragraph, struct error *error)
{
    const char *rest = "";
    story_statement *tell = story_find_statement(line, &rest);
    enum status status = STATUS_OK;
    if (tell == NULL && line[0] != '\0') {
        text_list_add(paragraph, text_format("%s", line));
        return STATUS_OK;
    }
    status = story_tell_paragraph(story, paragraph, error);
    if (status == STATUS_OK && tell != NULL && (story->told || tell == story_section)) {
        status = tell(story, rest, error);
        story->trying = tell == story_try;
    }
    return status;
}

static enum status story_tell(struct story *story, const char *text, struct error *error)
{
    struct text_list lines = {0};
    struct text_list paragraph = {0};
    enum status status = STATUS_OK;
    text_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count && status == STATUS_OK; i++) {
        status = story_tell_line(story, lines.items[i], &paragraph, error);
        if (status == STATUS_CORRUPT) {
            struct error of_line = *error;
            (void)error_set(error, STATUS_CORRUPT, "the story, line %zu: %.900s", i + 1,
                            of_line.message);
        }
    }
    if (status == STATUS_OK) {
        status = story_tell_paragraph(story, &paragraph, error);
    }
    story_end_section(story);
    text_list_free(&paragraph);
    text_list_free(&lines);
    return status;
}

/* ---------------------------------------------------------------------------------- the page */

/* The part before the sections, which is made last. The caller frees it. */
static struct document *story_opening(const struct story *story, double seconds)
{
    struct document *document = document_new();
    document_heading(document, 1, "What this page is");
    document_add(document, BLOCK_PARAGRAPH,
                 "What Python's memory manager does, and what it cost and gave from version to "
                 "version, shown by experiments. Each of them ran when this page was made, on this "
                 "machine; each number on the page comes from that run. The experiments took "
                 "%.0f s.",
                 seconds);
    document_line(document, "Claims that were checked against the run and hold: %zu.",
                  story->result->held);
    document_line(document, "Claims that do not hold here: %zu.%s",
                  story->result->contradicted.count,
                  story->result->contradicted.count > 0 ? " Each is a warning at its place." : "");
    document_line(document,
                  "The runs lie beside this page: heapmill compare, plot and report take their "
                  "folders.");
    return document;
}

static void story_add_end(const struct story *story)
{
    document_heading(story->document, 1, "What this machine could not show");
    document_anchor(story->document, "lacks");
    for (size_t i = 0; i < story->result->lacks.count; i++) {
        document_line(story->document, "%s", story->result->lacks.items[i]);
    }
    if (story->result->lacks.count == 0) {
        document_line(story->document, "Nothing was missing.");
    }
}

static enum status story_write_page(struct story *story, double seconds, struct error *error)
{
    struct document *opening = story_opening(story, seconds);
    struct document *documents[] = {opening, story->document};
    char *path = text_format("%s/story.html", story->options->output);
    story_add_end(story);
    enum status status =
        report_page_write(path, "The story of Python's memory", documents, 2, NULL, error);
    document_free(opening);
    free(path);
    return status;
}

/* Checks that the directory is new or empty, because runs refuse to write over runs. */
static enum status story_check_output(const char *output, struct error *error)
{
    DIR *directory = opendir(output);
    const struct dirent *entry;
    bool used = false;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        used = used || (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0);
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return used ? error_set(error, STATUS_INVALID,
                            "%s is not empty: remove it, or name another folder with -o", output)
                : file_make_directory(output, error);
}

static enum status story_find_program(const struct story_options *options, char *program,
                                      size_t size, struct error *error)
{
    ssize_t length = options->program != NULL ? snprintf(program, size, "%s", options->program)
                                              : readlink("/proc/self/exe", program, size - 1);
    if (length < 0 || (size_t)length >= size) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "/proc/self/exe cannot be read, and the story runs heapmill: mount /proc");
    }
    program[length] = '\0';
    return STATUS_OK;
}

/* Checks that the text has the requested sections. */
static enum status story_check_sections(const char *text, const char *asked, struct error *error)
{
    struct text_list lines = {0};
    struct text_list names = {0};
    struct text_list wanted = {0};
    size_t known = 0;
    text_split(&lines, text, '\n');
    text_split(&wanted, asked, ',');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        if (line[0] == '=' && line[1] == ' ') {
            char *name = text_format("%.*s", (int)strcspn(line + 2, ":"), line + 2);
            for (size_t j = 0; j < wanted.count; j++) {
                known += strcmp(wanted.items[j], name) == 0;
            }
            text_list_add(&names, name);
        }
    }
    char *list = text_join(&names, ", ");
    enum status status =
        known == wanted.count
            ? STATUS_OK
            : error_set(error, STATUS_INVALID, "--section %s: the sections are %s", asked, list);
    free(list);
    text_list_free(&lines);
    text_list_free(&names);
    text_list_free(&wanted);
    return status;
}

enum status story_write(const struct story_options *options, struct story_result *result,
                        struct error *error)
{
    char program[PATH_MAX];
    const char *text = options->text != NULL ? options->text : story_text;
    struct story story = {
        .options = options,
        .result = result,
        .report_options = {.command = options->command, .gnuplot = options->gnuplot},
        .report = {.notes = &result->lacks},
        .place = {.program = program, .directory = options->output},
        .figures = {.answers = json_object(), .lets = json_object()},
        .answers = json_object(),
        .document = document_new(),
    };
    uint64_t begin = clock_wall_ns();
    story.report.options = &story.report_options;
    enum status status = story_find_program(options, program, sizeof(program), error);
    if (status == STATUS_OK && options->sections != NULL) {
        status = story_check_sections(text, options->sections, error);
    }
    if (status == STATUS_OK) {
        status = story_check_output(options->output, error);
    }
    if (status == STATUS_OK) {
        status = story_tell(&story, text, error);
    }
    if (status == STATUS_OK) {
        status = story_write_page(&story, (double)(clock_wall_ns() - begin) / 1e9, error);
    }
    document_free(story.document);
    json_decref(story.figures.answers);
    json_decref(story.figures.lets);
    json_decref(story.answers);
    return status;
}

void story_result_free(struct story_result *result)
{
    text_list_free(&result->contradicted);
    text_list_free(&result->lacks);
    *result = (struct story_result){.held = 0};
}
