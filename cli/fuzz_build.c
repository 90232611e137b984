#include <stdio.h>
#include <string.h>

#include "cli/fuzz.h"
#include "common/host/packages.h"
#include "common/host/process.h"
#include "fuzz/campaign/build.h"

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
     .shown = "libfuzzer, and afl if afl++ is installed",
     OPTION_INTO(struct build_arguments, engines)},
    {OPTION_TEXT, 0, "target", "NAME",
     "build only this ninja target, such as heapmill-fuzz-block_ops.pymalloc-3.10", "fuzz",
     .shown = "all fuzz targets", OPTION_INTO(struct build_arguments, target)},
    {OPTION_NUMBER, 0, "jobs", "N", "compile N files at the same time",
     .shown = "ninja's own choice", .least = 1, .most = 1024,
     OPTION_INTO(struct build_arguments, jobs)},
    {.kind = OPTION_END},
};

static enum status build_all(const bool chosen[FUZZ_TREES], bool by_default, const char *target,
                             unsigned jobs, struct error *error)
{
    struct fuzz_catalog catalog;
    enum status status = fuzz_catalog_open(&catalog, error);
    for (size_t i = 0; i < FUZZ_TREES && status == STATUS_OK; i++) {
        enum fuzz_tree tree = (enum fuzz_tree)i;
        const char *missing = chosen[tree] ? fuzz_build_missing(tree) : NULL;
        if (missing != NULL && by_default && tree == FUZZ_TREE_AFL) {
            (void)fprintf(stderr, "heapmill fuzz build: AFL++ is left out: apt-get install %s\n",
                          package_named("afl"));
        } else if (missing != NULL) {
            status = error_set(error, STATUS_NOT_FOUND, "%s needs a package: apt-get install %s",
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
    .description = "Configures and builds the targets for an engine, in the engine's own build "
                   "tree beside this one's. Existing builds are updated.",
    .options = build_options,
    .arguments_size = sizeof(struct build_arguments),
    .examples = "heapmill fuzz build libfuzzer\nheapmill fuzz build bare libfuzzer-fast afl",
    .exit_statuses =
        "0 clean; 2 wrong usage; 3 a compiler is missing or the build fails; 130 interrupted",
    .execute = build_execute,
};
