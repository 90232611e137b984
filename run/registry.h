/* The back ends of this build, and how each one's workers are started.
 *
 * What CMake declared (allocators/CMakeLists.txt) is in a table that run/CMakeLists.txt writes; a
 * library of the user's joins it when a -b names its path. A registry belongs to one thread, and
 * all pointers into it live until registry_close. */
#ifndef HEAPMILL_RUN_REGISTRY_H
#define HEAPMILL_RUN_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

enum backend_kind {
    BACKEND_OURS,      /* declared by heapmill_backend() */
    BACKEND_PEER,      /* by heapmill_peer(): preloaded under the malloc worker */
    BACKEND_LIBRARY,   /* the user's own, by its path */
    BACKEND_REFERENCE, /* somebody else's object runtime: workloads/references/ */
};

struct backend {
    enum backend_kind kind;
    char *name;
    char *source;
    char *parameters;
    char *
        library; /* what LD_PRELOAD names: a peer's soname, the user's absolute path; "" for ours */
    char *package;   /* the Debian package of a peer */
    char *installed; /* "package version" of a peer, as preflight_selection found it; or NULL */
    char *owner;     /* the file in which malloc lives with a peer, as it found it too; or NULL */
    char *program;   /* of a counterpart (run/against.h): the back end that its programs are named
                        after; else NULL */
    char *home;      /* of a counterpart: the build tree that has its programs; else NULL */
    struct text_list arms;
};

struct registry {
    struct backend **backends;
    size_t count;
    char *program_directory; /* where the workers are */
    char *library_directory; /* where our preload libraries are */
    bool sanitized;          /* built with sanitizers: nothing can be preloaded */
};

/* What plan.json says of how a cell is run: file names that mean the same on every machine. */
struct launch {
    char *program; /* heapmill-run-NAME[.ARM] */
    char *probe;   /* heapmill-probe-NAME */
    char *preload; /* "", our library's file name, a peer's soname, or a user's absolute path */
};

enum status registry_open(struct registry *registry, struct error *error);
void registry_close(struct registry *registry);

/* By its name, or by another that it has ("cpython" is the newest CPython here). NULL if there is
 * none. */
struct backend *registry_find(const struct registry *registry, const char *name);

/* Adds the shared library at path under its file name; gives the one that is there already if it is
 * the same file. STATUS_NOT_FOUND: no such file; STATUS_INVALID: a name that LD_PRELOAD cannot
 * hold, or that another back end has. */
enum status registry_add_library(struct registry *registry, const char *path,
                                 struct backend **backend, struct error *error);

/* What "NAME@before" is called behind its name. */
#define REGISTRY_BEFORE "@before"

/* Adds the counterpart NAME@before of a back end, or gives the one that is there: its own programs
 * as the build tree at home has them, or, home being NULL, of another library at that path. Errors
 * as registry_add_library. */
enum status registry_add_before(struct registry *registry, const struct backend *now,
                                const char *home, const char *library, struct backend **before,
                                struct error *error);

bool backend_has_arm(const struct backend *backend, const char *arm);

/* preload if the back end has it, else its first. Borrowed. */
const char *backend_default_arm(const struct backend *backend);

/* How to run that arm. The caller frees it with launch_free. */
void registry_launch(const struct backend *backend, const char *arm, struct launch *launch);
void launch_free(struct launch *launch);

/* The path of a program beside heapmill, or of a library as LD_PRELOAD wants it; a path stays as it
 * is. The caller frees. */
char *registry_program_path(const struct registry *registry, const char *program);
char *registry_preload_path(const struct registry *registry, const char *preload);

/* The workloads of this build, as the malloc worker describes them. Belongs to one thread. */

enum { CATALOG_PARAMETERS_MAX = 8 };

/* Strings and JSON are borrowed from the description. */
struct catalog_parameter {
    const char *name;
    const char *unit;
    const char *summary;
    const json_t *standard; /* the default: a number, a word, or without choices any text */
    const json_t *choices;  /* array of words; NULL for a number and a text */
    double minimum;
    double maximum;
};

struct catalog_workload {
    const char *name;
    const char *kind; /* "objects" or "blocks" */
    const char *family;
    const char *summary;
    bool single_shot;
    bool threaded; /* --threads is for it */
    struct catalog_parameter parameters[CATALOG_PARAMETERS_MAX];
    size_t parameter_count;
};

struct catalog {
    json_t *description;
    struct catalog_workload *workloads;
    size_t count;
};

/* STATUS_NOT_FOUND or STATUS_UNSUPPORTED when the malloc worker is missing or does not answer. */
enum status catalog_open(struct catalog *catalog, const struct registry *registry,
                         struct error *error);
void catalog_close(struct catalog *catalog);

/* Turns text into the parameter's value (a new reference). STATUS_INVALID: not a number, out of
 * bounds, or none of the words; the message has what is allowed. */
enum status catalog_parse_value(const struct catalog_parameter *parameter, const char *text,
                                json_t **value, struct error *error);

#endif
