/* The catalog of programs that can be fuzzed: the binaries `heapmill-fuzz-TARGET[.BACKEND][+BUG]`
 * of the build trees.
 *
 * The engines need different compilers, so each has its own build tree, with the same names in it:
 * the ordinary tree (which also has heapmill itself; blind random and replay), and beside it
 * fuzz-libfuzzer, fuzz-libfuzzer-fast, fuzz-afl, fuzz-bare and fuzz-coverage, made by the presets
 * of those names. The environment variable HEAPMILL_FUZZ_TREES names another directory with these
 * trees; the ordinary one is `ordinary` there. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CATALOG_H
#define HEAPMILL_FUZZ_CAMPAIGN_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

enum fuzz_tree {
    FUZZ_TREE_ORDINARY,
    FUZZ_TREE_LIBFUZZER, /* clang with the sanitizers */
    FUZZ_TREE_FAST,      /* clang without them */
    FUZZ_TREE_AFL,
    FUZZ_TREE_BARE,     /* clang without an engine: the base of `fuzz speed` */
    FUZZ_TREE_COVERAGE, /* clang's source-based coverage; `fuzz coverage` makes it */
    FUZZ_TREES,
};

struct fuzz_program {
    char *target;
    char *backend;           /* "": the target has none */
    char *bug;               /* "": no planted bug */
    char *label;             /* from the file name: "block_ops.pymalloc-3.10+bug" */
    char *paths[FUZZ_TREES]; /* NULL: the tree does not have it */
};

struct fuzz_catalog {
    char *source;            /* the directory from which the trees were configured; "": unknown */
    char *trees[FUZZ_TREES]; /* directories, which may be missing */
    struct fuzz_program *programs; /* sorted by label */
    size_t count;
};

/* The name of the tree's directory and of its preset. */
const char *fuzz_tree_name(enum fuzz_tree tree);

enum status fuzz_catalog_open(struct fuzz_catalog *catalog, struct error *error);
void fuzz_catalog_close(struct fuzz_catalog *catalog);

/* Finds a program. backend NULL: the target's only one, or its default, pymalloc-3.10.
 * STATUS_NOT_FOUND: the message lists those that exist, or says how to build them. */
enum status fuzz_catalog_find(const struct fuzz_catalog *catalog, const char *target,
                              const char *backend, const char *bug,
                              const struct fuzz_program **program, struct error *error);

/* Is the program one of the targets (an empty list: any), on that back end (NULL: any), without a
 * planted bug, and built in that tree? */
bool fuzz_program_is_asked(const struct fuzz_program *program, enum fuzz_tree tree,
                           const struct text_list *targets, const char *backend);

/* The first of the engines' trees that has the program; the ordinary one if none has. */
enum fuzz_tree fuzz_program_tree(const struct fuzz_program *program);

/* The program's path in that tree, borrowed. STATUS_NOT_FOUND: the message names `fuzz build`. */
enum status fuzz_catalog_path(const struct fuzz_program *program, enum fuzz_tree tree,
                              const char **path, struct error *error);

/* The shared library with the target's mutator for afl-fuzz; NULL: the tree has none. The caller
 * frees. */
char *fuzz_catalog_mutator(const struct fuzz_catalog *catalog, const char *target);

/* SOURCE/fuzz/corpus/TARGET; NULL: there is none. The caller frees. */
char *fuzz_catalog_seeds(const struct fuzz_catalog *catalog, const char *target);

#endif
