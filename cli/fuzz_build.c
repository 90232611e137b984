/* heapmill fuzz build: the build trees of the engines. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/fuzz_build.h"
#include "common/host/files.h"
#include "common/host/packages.h"
#include "common/host/process.h"

/* In the order of enum fuzz_tree. */
static const char *const build_words[] = {
    "random", "libfuzzer", "libfuzzer-fast", "afl", "bare", "coverage", "all", NULL};

struct build_arguments {
    struct text_list engines;
    const char *target;
    uint64_t jobs;
};

static const struct option_row build_options[] = {
    {OPTION_LIST, .placeholder = "ENGINE", .help = "what for", .words = build_words,
     .shown = "libfuzzer, and afl where afl++ is installed",
     OPTION_INTO(struct build_arguments, engines)},
    {OPTION_TEXT, 0, "target", "NAME",
     "only this ninja target, as heapmill-fuzz-block_ops.pymalloc-3.10", "fuzz",
     .shown = "all fuzz targets", OPTION_INTO(struct build_arguments, target)},
    {OPTION_NUMBER, 0, "jobs", "N", "compile so many files at once", .shown = "as ninja likes",
     .least = 1, .most = 1024, OPTION_INTO(struct build_arguments, jobs)},
    {.kind = OPTION_END},
};

static const double BUILD_TIME_S = 4 * 3600;

static enum status build_child(struct crew_job *job, const char *what, struct error *error)
{
    struct process_result member;
    job->stop_signal = SIGTERM;
    enum status status = crew_run(job, BUILD_TIME_S, &member, error);
    if (status == STATUS_OK && (member.exit_code != 0 || member.signal != 0)) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s failed: its messages are above", what);
    }
    crew_job_free(job);
    return status;
}

static void build_argument(struct crew_job *job, char *argument)
{
    text_list_add(&job->arguments, argument);
}

/* The coverage tree has clang's source-based coverage and the ordinary engine; the others have a
 * preset. */
static enum status build_configure(const struct fuzz_catalog *catalog, enum fuzz_tree tree,
                                   const char *cmake, struct error *error)
{
    struct crew_job job = {.log = NULL};
    build_argument(&job, text_format("%s", cmake));
    build_argument(&job, text_format("-S"));
    build_argument(&job, text_format("%s", catalog->source));
    build_argument(&job, text_format("-B"));
    build_argument(&job, text_format("%s", catalog->trees[tree]));
    if (tree == FUZZ_TREE_COVERAGE) {
        build_argument(&job, text_format("-GNinja"));
        build_argument(&job, text_format("-DCMAKE_BUILD_TYPE=Debug"));
        build_argument(&job, text_format("-DCMAKE_C_COMPILER=clang"));
        build_argument(&job, text_format("-DCMAKE_CXX_COMPILER=clang++"));
        build_argument(&job,
                       text_format("-DCMAKE_C_FLAGS=-fprofile-instr-generate -fcoverage-mapping"));
        build_argument(&job, text_format("-DCMAKE_EXE_LINKER_FLAGS=-fprofile-instr-generate"));
    } else {
        build_argument(&job, text_format("--preset"));
        build_argument(&job, text_format("%s", fuzz_tree_name(tree)));
    }
    return build_child(&job, "cmake", error);
}

enum status fuzz_build_tree(const struct fuzz_catalog *catalog, enum fuzz_tree tree,
                            const char *target, unsigned jobs, struct error *error)
{
    char *cmake = file_find_program("cmake");
    char *cache = text_format("%s/CMakeCache.txt", catalog->trees[tree]);
    enum status status = STATUS_OK;
    if (cmake == NULL) {
        status = error_set(error, STATUS_NOT_FOUND, "there is no cmake: apt-get install %s",
                           package_named("cmake"));
    } else if (catalog->source[0] == '\0') {
        status = error_set(error, STATUS_NOT_FOUND,
                           "this heapmill is in no build tree, and its sources are not known");
    } else if (access(cache, F_OK) != 0 && tree != FUZZ_TREE_ORDINARY) {
        status = build_configure(catalog, tree, cmake, error);
    }
    if (status == STATUS_OK) {
        struct crew_job job = {.log = NULL};
        build_argument(&job, text_format("%s", cmake));
        build_argument(&job, text_format("--build"));
        build_argument(&job, text_format("%s", catalog->trees[tree]));
        build_argument(&job, text_format("--target"));
        build_argument(&job, text_format("%s", target));
        if (jobs > 0) {
            build_argument(&job, text_format("-j%u", jobs));
        }
        status = build_child(&job, "the build", error);
    }
    free(cache);
    free(cmake);
    return status;
}

/* The compiler that a tree needs; NULL when it is there. */
static const char *build_missing(enum fuzz_tree tree)
{
    const char *compiler = tree == FUZZ_TREE_AFL        ? "afl-clang-fast"
                           : tree == FUZZ_TREE_ORDINARY ? "cmake"
                                                        : "clang";
    char *path = file_find_program(compiler);
    bool there = path != NULL;
    free(path);
    return there ? NULL : package_named(tree == FUZZ_TREE_AFL ? "afl" : compiler);
}

static enum status build_all(const bool chosen[FUZZ_TREES], bool by_default, const char *target,
                             unsigned jobs, struct error *error)
{
    struct fuzz_catalog catalog;
    enum status status = fuzz_catalog_open(&catalog, error);
    for (size_t i = 0; i < FUZZ_TREES && status == STATUS_OK; i++) {
        enum fuzz_tree tree = (enum fuzz_tree)i;
        const char *missing = chosen[tree] ? build_missing(tree) : NULL;
        if (missing != NULL && by_default && tree == FUZZ_TREE_AFL) {
            (void)fprintf(stderr, "heapmill fuzz build: AFL++ is left out: apt-get install %s\n",
                          package_named("afl"));
        } else if (missing != NULL) {
            status = error_set(error, STATUS_NOT_FOUND, "%s wants a package: apt-get install %s",
                               fuzz_tree_name(tree), missing);
        } else if (chosen[tree]) {
            status = fuzz_build_tree(&catalog, tree, target, jobs, error);
        }
    }
    fuzz_catalog_close(&catalog);
    return status;
}

static int build_execute(const struct invocation *invocation, void *arguments)
{
    const struct build_arguments *asked = arguments;
    bool by_default = asked->engines.count == 0;
    bool chosen[FUZZ_TREES] = {[FUZZ_TREE_LIBFUZZER] = by_default, [FUZZ_TREE_AFL] = by_default};
    for (size_t i = 0; i < asked->engines.count; i++) {
        const char *word = asked->engines.items[i];
        for (size_t tree = 0; tree < FUZZ_TREES; tree++) {
            chosen[tree] =
                chosen[tree] || strcmp(word, build_words[tree]) == 0 || strcmp(word, "all") == 0;
        }
    }
    struct error error;
    process_prepare_signals();
    enum status status =
        build_all(chosen, by_default, asked->target, (unsigned)asked->jobs, &error);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
}
const struct command fuzz_build_command = {
    .name = "build",
    .summary = "configures and builds what the engines need",
    .description = "Configures and builds what an engine needs, each in a build tree of its own "
                   "beside this one's. What is built already is brought up to date.",
    .options = build_options,
    .arguments_size = sizeof(struct build_arguments),
    .examples = "heapmill fuzz build libfuzzer\nheapmill fuzz build bare libfuzzer-fast afl",
    .exit_statuses =
        "0 clean; 2 wrong usage; 3 a compiler is missing or the build fails; 130 interrupted",
    .execute = build_execute,
};
