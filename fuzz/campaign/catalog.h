/* What can be fuzzed: the binaries `heapmill-fuzz-TARGET[.BACKEND][+BUG]` of the build trees.
 *
 * The engines want different compilers, so that each has a build tree of its own, with the same
 * names in it: the ordinary tree (in which heapmill itself is; blind random and replay), and beside
 * it fuzz-libfuzzer, fuzz-libfuzzer-fast, fuzz-afl, fuzz-bare and fuzz-coverage, as the presets of
 * those names make them. The environment variable HEAPMILL_FUZZ_TREES names another directory that
 * holds these, the ordinary one as `ordinary`. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CATALOG_H
#define HEAPMILL_FUZZ_CAMPAIGN_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

enum fuzz_tree {
    FUZZ_TREE_ORDINARY,
    FUZZ_TREE_LIBFUZZER, /* clang, with the sanitizers */
    FUZZ_TREE_FAST,      /* the same without them */
    FUZZ_TREE_AFL,
    FUZZ_TREE_BARE,     /* clang, nothing else: what `fuzz speed` compares with */
    FUZZ_TREE_COVERAGE, /* clang's source-based coverage; made by `fuzz coverage` */
    FUZZ_TREES,
};

struct fuzz_program {
    char *target;
    char *backend;           /* "" where the target has none */
    char *bug;               /* "" but for a planted one */
    char *label;             /* as in the file's name: "block_ops.pymalloc-3.10+bug" */
    char *paths[FUZZ_TREES]; /* NULL where that tree has not got it */
};

struct fuzz_catalog {
    char *source;            /* the directory that the trees were configured from; "" if unknown */
    char *trees[FUZZ_TREES]; /* directories, which may not exist */
    struct fuzz_program *programs; /* by label */
    size_t count;
};

/* The directory's name, and the preset's. */
const char *fuzz_tree_name(enum fuzz_tree tree);

enum status fuzz_catalog_open(struct fuzz_catalog *catalog, struct error *error);
void fuzz_catalog_close(struct fuzz_catalog *catalog);

/* backend NULL: the target's only one, or its default, pymalloc-3.10. STATUS_NOT_FOUND: the message
 * says which there are, or how to build them. */
enum status fuzz_catalog_find(const struct fuzz_catalog *catalog, const char *target,
                              const char *backend, const char *bug,
                              const struct fuzz_program **program, struct error *error);

/* Is it one of the targets (none named: any), without a planted bug, on that back end (NULL: any),
 * and built in that tree? */
bool fuzz_program_is_asked(const struct fuzz_program *program, enum fuzz_tree tree,
                           const struct text_list *targets, const char *backend);

/* The first tree, of those of the engines, that has the program; the ordinary one if none has. */
enum fuzz_tree fuzz_program_tree(const struct fuzz_program *program);

/* The program as that tree has it, borrowed. STATUS_NOT_FOUND: the message names `fuzz build`. */
enum status fuzz_catalog_path(const struct fuzz_program *program, enum fuzz_tree tree,
                              const char **path, struct error *error);

/* The shared library that gives afl-fuzz the target's mutator; NULL if the tree has none. The
 * caller frees. */
char *fuzz_catalog_mutator(const struct fuzz_catalog *catalog, const char *target);

/* SOURCE/fuzz/corpus/TARGET, NULL if there is none. The caller frees. */
char *fuzz_catalog_seeds(const struct fuzz_catalog *catalog, const char *target);

#endif
