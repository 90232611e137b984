/* A command's options, each stated once in a table. Parsing, --help, the man page and shell
 * completion all use the table. docs/decisions/ says why it is not argp. One thread. */
#ifndef HEAPMILL_COMMON_HOST_OPTIONS_H
#define HEAPMILL_COMMON_HOST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/host/text.h"
#include "common/status.h"

/* The type of a value, which decides how it is stored. */
enum option_kind {
    OPTION_END,     /* the end of a table */
    OPTION_HEADING, /* `help` is the heading of the next rows */
    OPTION_FLAG,    /* bool; takes no value */
    OPTION_TEXT,    /* const char *, borrowed from argv */
    OPTION_LIST,    /* struct text_list: each use adds an item */
    OPTION_COMMAS,  /* struct text_list: each use adds the items between its commas */
    OPTION_NUMBER,  /* uint64_t, from least to most; a most of 0 means INT64_MAX */
    OPTION_REAL,    /* double, from least to most */
    OPTION_SHARE,   /* double, from least to most: "1%" and "0.01" are the same */
    OPTION_PERCENT, /* double: "1%" and "1" are 0.01 */
    OPTION_SECONDS, /* double: "90s", "5m", "2h"; up to most, if that is not 0 */
    OPTION_SIZE,    /* uint64_t, bytes: "500M", "4G" */
    OPTION_CHOICE,  /* one of `words`: an unsigned index, or the word in a const char * */
    OPTION_SET,     /* unsigned with one bit for each of `words`; commas separate them */
    OPTION_REST,    /* char **, the arguments after "--", ending with NULL; NULL without "--" */
    OPTION_CALL,    /* take decides */
};

/* The type of the member that stores the value. A test compares it with the kind. */
enum option_type {
    OPTION_TYPE_OTHER,
    OPTION_TYPE_BOOL,
    OPTION_TYPE_TEXT,
    OPTION_TYPE_LIST,
    OPTION_TYPE_NUMBER,
    OPTION_TYPE_REAL,
    OPTION_TYPE_UNSIGNED,
    OPTION_TYPE_REST,
};

/* An option; or, without a name, an operand, in the order of the table. An operand of kind
 * OPTION_LIST takes all operands that are left. */
struct option_row {
    enum option_kind kind;
    char letter;             /* of "-b"; 0: none */
    const char *name;        /* of "--backends" */
    const char *placeholder; /* of the value, in the help; NULL: there is none */
    const char *help;        /* sentences without a break; the last has no full stop */
    const char *standard;    /* the default, parsed like a value; NULL: all bits zero */
    const char *shown;       /* the default as the help shows it, if not `standard` */
    const char *missing;     /* for a required operand: the message if it is missing */
    /* What completes a value beside words: OPTION_FILES, OPTION_DIRECTORIES, or the arguments of a
     * heapmill command that prints one candidate per line. */
    const char *candidates;
    const char *const *words; /* ends with NULL; for a list: the allowed items */
    double least;
    double most;
    size_t offset; /* of the member, in the command's structure */
    enum option_type type;
    size_t given; /* offset of a bool that is set if the user gave the option; 0: none */
    /* For OPTION_CALL. `member` is at `offset`; text is NULL if there is no placeholder.
     * STATUS_INVALID with a message such as "it wants NAME=VALUE". */
    enum status (*take)(void *member, const char *text, struct error *error);
};

#define OPTION_FILES ":files"
#define OPTION_DIRECTORIES ":directories"

/* Part of a row: the member of the structure that the row fills. */
#define OPTION_INTO(structure, member)                                                             \
    .offset = offsetof(structure, member),                                                         \
    .type = _Generic(((structure *)NULL)->member, bool                                             \
                     : OPTION_TYPE_BOOL, const char *                                              \
                     : OPTION_TYPE_TEXT, struct text_list                                          \
                     : OPTION_TYPE_LIST, uint64_t                                                  \
                     : OPTION_TYPE_NUMBER, double                                                  \
                     : OPTION_TYPE_REAL, unsigned                                                  \
                     : OPTION_TYPE_UNSIGNED, char **                                               \
                     : OPTION_TYPE_REST, default                                                   \
                     : OPTION_TYPE_OTHER)

/* Clears the structure of that size, sets the defaults, and then the values of argv from argv[1]
 * on. Options may follow operands. A long option may be abbreviated if that is unambiguous.
 * STATUS_INVALID: the message says what is wrong and what would be right. Call options_free in
 * every case. */
enum status options_parse(const struct option_row *rows, void *structure, size_t size, int argc,
                          char **argv, struct error *error);

void options_free(const struct option_row *rows, void *structure);

/* The option of that name or letter; NULL: there is none. */
const struct option_row *options_find(const struct option_row *rows, const char *name,
                                      size_t length);
const struct option_row *options_find_letter(const struct option_row *rows, char letter);

static inline bool option_is_operand(const struct option_row *row)
{
    return row->name == NULL && row->kind != OPTION_HEADING && row->kind != OPTION_REST &&
           row->kind != OPTION_END;
}

static inline bool option_is_named(const struct option_row *row)
{
    return row->name != NULL;
}

static inline bool option_has_value(const struct option_row *row)
{
    return row->kind != OPTION_FLAG && (row->kind != OPTION_CALL || row->placeholder != NULL);
}

#endif
