/* heapmill fuzz build: the build trees of the engines. */
#include <getopt.h>
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

static const char build_usage[] =
    "usage: heapmill fuzz build [libfuzzer|libfuzzer-fast|afl|bare|coverage|random|all] [--target "
    "NAME] "
    "[--jobs N]\n"
    "\n"
    "Configures and builds what an engine needs, each in a build tree of its own beside this "
    "one's\n"
    "(default: libfuzzer, and afl where afl++ is installed). What is built already is brought up "
    "to\n"
    "date.\n"
    "\n"
    "  --target NAME   only this ninja target, as heapmill-fuzz-block_ops.pymalloc-3.10\n"
    "                  (default: all fuzz targets)\n"
    "  --jobs N        compile so many files at once (default: as ninja likes)\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0; 2 wrong usage; 3 a compiler is missing or the build fails; 130 interrupted\n";

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

enum build_option { OPTION_TARGET = 256, OPTION_JOBS };

static const struct option build_long_options[] = {
    {"target", required_argument, NULL, OPTION_TARGET},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {0},
};

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

/* Which trees a word names; false if none. */
static bool build_choose(const char *word, bool chosen[FUZZ_TREES])
{
    static const char *const words[FUZZ_TREES] = {"random", "libfuzzer", "libfuzzer-fast",
                                                  "afl",    "bare",      "coverage"};
    bool known = strcmp(word, "all") == 0;
    for (size_t tree = 0; tree < FUZZ_TREES; tree++) {
        bool named = strcmp(words[tree], word) == 0;
        chosen[tree] = chosen[tree] || named || strcmp(word, "all") == 0;
        known = known || named;
    }
    return known;
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

static int build_run(int argc, char **argv)
{
    bool chosen[FUZZ_TREES] = {false};
    const char *target = "fuzz";
    uint64_t jobs = 0;
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", build_long_options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            return fuzz_refuse("build",
                               option == ':' ? "a value is missing after" : "unknown option",
                               argv[optind - 1]);
        }
        if (option == OPTION_JOBS && (!text_to_u64(optarg, &jobs) || jobs == 0 || jobs > 1024)) {
            return fuzz_refuse("build", "--jobs takes 1 to 1024, not", optarg);
        }
        target = option == OPTION_TARGET ? optarg : target;
    }
    bool by_default = optind == argc;
    chosen[FUZZ_TREE_LIBFUZZER] = by_default;
    chosen[FUZZ_TREE_AFL] = by_default;
    for (; optind < argc; optind++) {
        if (!build_choose(argv[optind], chosen)) {
            return fuzz_refuse("build", "there is no engine", argv[optind]);
        }
    }
    struct error error;
    process_prepare_signals();
    enum status status = build_all(chosen, by_default, target, (unsigned)jobs, &error);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report("build", &error);
}

const struct command fuzz_build_command = {
    .name = "build",
    .summary = "configures and builds what the engines need",
    .usage = build_usage,
    .run = build_run,
};
