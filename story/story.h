/* The story: explains what Python's memory manager does, with experiments that are run meanwhile.
 *
 * story.txt is the text: sentences, and lines that run something, show it, or claim something about
 * it. A number in a sentence is a name, {counts/live_before_del}, which the run replaces; the text
 * has no number of a run. A claim is an expression that must be true for the run's numbers; if it
 * is not, the page says so, and the story fails. story.c describes the grammar. One thread. */
#ifndef HEAPMILL_STORY_STORY_H
#define HEAPMILL_STORY_STORY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

extern const char story_text[];
extern const char story_python[];

/* Strings are borrowed during the call. */
struct story_options {
    const char *text;     /* NULL: story_text */
    const char *program;  /* heapmill's path; NULL: this program */
    const char *output;   /* a directory, made if absent; must be empty */
    const char *sections; /* "counts,cycles": names of sections; NULL: all sections */
    const char *command;  /* the user's command line */
    const char *gnuplot;  /* NULL: "gnuplot" from PATH */
    bool progress;        /* a line on stderr for each experiment */
};

struct story_result {
    size_t held;                   /* claims that the run confirmed */
    struct text_list contradicted; /* claims that it did not, a sentence each */
    struct text_list lacks;        /* what this machine could not show, a sentence each */
};

/* Runs the story and writes OUTPUT/story.html, whole or not at all, beside the runs' files. The
 * caller calls story_result_free in every case. STATUS_INVALID: the directory is not empty, or
 * there is no such section; STATUS_CORRUPT: the text is wrong, and the message has the line;
 * STATUS_INTERRUPTED; STATUS_IO, STATUS_NO_MEMORY. */
enum status story_write(const struct story_options *options, struct story_result *result,
                        struct error *error);

void story_result_free(struct story_result *result);

#endif
