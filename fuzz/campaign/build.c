#include "fuzz/campaign/build.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/packages.h"
#include "common/host/text.h"
#include "fuzz/campaign/crew.h"

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

/* Configures a tree. The coverage tree has clang's source-based coverage and the ordinary engine;
 * the others have a preset. */
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
        status =
            error_set(error, STATUS_NOT_FOUND,
                      "this heapmill is installed, and fuzz targets are compiled from its sources: "
                      "build them in a source tree, with its build/release/bin/heapmill");
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

const char *fuzz_build_missing(enum fuzz_tree tree)
{
    const char *compiler = tree == FUZZ_TREE_AFL        ? "afl-clang-fast"
                           : tree == FUZZ_TREE_ORDINARY ? "cmake"
                                                        : "clang";
    char *path = file_find_program(compiler);
    bool there = path != NULL;
    free(path);
    return there ? NULL : package_named(tree == FUZZ_TREE_AFL ? "afl" : compiler);
}
