/* The story: what Python's memory manager does, told with experiments that are run as it is told.
 *
 * story.txt is the story: sentences, and lines that run something, show it, or claim something of
 * it. A number in a sentence is a name, {counts/live_before_del}, which the run fills in; no number
 * of a run stands in the text. A claim is an expression that the run's numbers must make true:
 * where they do not, the page says so and the story fails. story.c has the grammar. One thread. */
#ifndef HEAPMILL_STORY_STORY_H
#define HEAPMILL_STORY_STORY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

extern const char story_text[];
extern const char story_python[];

/* Strings are borrowed for the call. */
struct story_options {
    const char *text;     /* NULL: story_text */
    const char *program;  /* heapmill's path; NULL: this program is it */
    const char *output;   /* a directory, made if absent; empty */
    const char *sections; /* "counts,cycles": names of sections; NULL: all */
    const char *command;  /* what the user typed */
    const char *gnuplot;  /* NULL: "gnuplot", found in PATH */
    bool progress;        /* a line on stderr for each experiment */
};

struct story_result {
    size_t held;                   /* claims that the run bears out */
    struct text_list contradicted; /* a sentence each */
    struct text_list lacks;        /* what this machine could not show, a sentence each */
};

/* Runs the story and writes OUTPUT/story.html, whole or not at all, beside what the runs left.
 * result is the caller's to release in any case (story_result_free). STATUS_INVALID: the directory
 * is not empty, or there is no such section; STATUS_CORRUPT: the text is wrong, the message has the
 * line; STATUS_INTERRUPTED; STATUS_IO, STATUS_NO_MEMORY. */
enum status story_write(const struct story_options *options, struct story_result *result,
                        struct error *error);

void story_result_free(struct story_result *result);

#endif
