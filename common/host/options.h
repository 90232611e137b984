/* A command's options, each stated once: parsing, --help, the man page and shell completion are all
 * made from the same table. docs/decisions/ says why it is not argp. One thread. */
#ifndef HEAPMILL_COMMON_HOST_OPTIONS_H
#define HEAPMILL_COMMON_HOST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/host/text.h"
#include "common/status.h"

/* What a value is, and so where it is stored. */
enum option_kind {
    OPTION_END,     /* ends a table */
    OPTION_HEADING, /* help is the heading of the rows below it */
    OPTION_FLAG,    /* bool; takes no value */
    OPTION_TEXT,    /* const char *, borrowed from argv */
    OPTION_LIST,    /* struct text_list: each use adds an item */
    OPTION_COMMAS,  /* struct text_list: each use adds the items between its commas */
    OPTION_NUMBER,  /* uint64_t, from least to most; most is INT64_MAX where it is 0 */
    OPTION_REAL,    /* double, from least to most */
    OPTION_SHARE,   /* double, from least to most: "1%" and "0.01" are the same */
    OPTION_PERCENT, /* double: "1%" and "1" are 0.01 */
    OPTION_SECONDS, /* double: "90s", "5m", "2h"; up to most, if that is not 0 */
    OPTION_SIZE,    /* uint64_t, bytes: "500M", "4G" */
    OPTION_CHOICE,  /* one of words: its index in an unsigned, or itself in a const char * */
    OPTION_SET,     /* unsigned: a bit for each of words, which commas separate */
    OPTION_REST,    /* char **, what follows "--"; NULL without one, else it ends with NULL */
    OPTION_CALL,    /* take decides */
};

/* The type of the member that a value is stored in; a test compares it with the kind. */
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

/* One option; or, where there is no name, one operand, in the order of the table: OPTION_LIST is of
 * all operands that are left. */
struct option_row {
    enum option_kind kind;
    char letter;             /* of "-b"; 0: none */
    const char *name;        /* of "--backends" */
    const char *placeholder; /* of the value in the help; NULL: there is none */
    const char *help;        /* sentences without a break; the last has no full stop */
    const char *standard;    /* the default, which is parsed like a value; NULL: all bits zero */
    const char *shown;       /* what the help says of the default, if it is not `standard` */
    const char *missing;     /* of an operand that must be there: what to say where it is not */
    /* What completes a value besides words: OPTION_FILES, OPTION_DIRECTORIES, or the arguments of a
     * heapmill command that prints one candidate a line. */
    const char *candidates;
    const char *const *words; /* ends with NULL; of a list: what its items may be */
    double least;
    double most;
    size_t offset; /* of the member in the command's structure */
    enum option_type type;
    size_t given; /* offset of a bool that is set where the user gave the option; 0: none */
    /* Of OPTION_CALL. `member` is where offset leads to; text is NULL if there is no placeholder.
     * STATUS_INVALID with what is wrong with the text, as in "it wants NAME=VALUE". */
    enum status (*take)(void *member, const char *text, struct error *error);
};

#define OPTION_FILES ":files"
#define OPTION_DIRECTORIES ":directories"

/* Of a row: the member of the structure that it fills. */
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

/* Clears the structure of that size, gives it the defaults and then what argv says from argv[1] on.
 * Options may follow operands; a long one may be cut short where no other begins so.
 * STATUS_INVALID: the message says what is wrong and what would be right. In each case options_free
 * releases the lists. */
enum status options_parse(const struct option_row *rows, void *structure, size_t size, int argc,
                          char **argv, struct error *error);

void options_free(const struct option_row *rows, void *structure);

/* Stores the value in the member, as an option's on the command line. `option` is for the message.
 * STATUS_INVALID. */
enum status options_set(const struct option_row *row, void *structure, const char *option,
                        const char *text, struct error *error);

/* The option of that name, or of that letter; NULL if there is none. */
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
