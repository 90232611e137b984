/* Knows the back ends of this build, and how the workers of each one are started.
 *
 * CMake declares them (allocators/CMakeLists.txt), and run/CMakeLists.txt writes the table. A
 * library of the user's is added when a -b names its path. A registry belongs to one thread, and
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
    char *program_directory; /* the directory of the workers */
    char *library_directory; /* the directory of our preload libraries */
    bool sanitized;          /* built with sanitizers: nothing can be preloaded */
};

/* How a cell is run, as plan.json has it: file names that mean the same on every machine. */
struct launch {
    char *program; /* heapmill-run-NAME[.ARM] */
    char *probe;   /* heapmill-probe-NAME */
    char *preload; /* "", our library's file name, a peer's soname, or a user's absolute path */
};

enum status registry_open(struct registry *registry, struct error *error);
void registry_close(struct registry *registry);

/* Finds a back end by its name, or by another name that it has ("cpython" is the newest CPython
 * here). Returns NULL if there is none. */
struct backend *registry_find(const struct registry *registry, const char *name);

/* Adds the shared library at path under its file name. If the same file is there already, *backend
 * is that one. Returns STATUS_NOT_FOUND if there is no such file, and STATUS_INVALID if LD_PRELOAD
 * cannot hold the name or another back end has it. */
enum status registry_add_library(struct registry *registry, const char *path,
                                 struct backend **backend, struct error *error);

/* What follows the name in "NAME@before". */
#define REGISTRY_BEFORE "@before"

/* Adds the counterpart NAME@before of a back end, or returns the one that is there. It has the back
 * end's own programs in the build tree at home; if home is NULL, it is another library, at that
 * path. Errors are those of registry_add_library. */
enum status registry_add_before(struct registry *registry, const struct backend *now,
                                const char *home, const char *library, struct backend **before,
                                struct error *error);

bool backend_has_arm(const struct backend *backend, const char *arm);

/* Returns preload if the back end has that arm, else its first arm. The string is borrowed. */
const char *backend_default_arm(const struct backend *backend);

/* Fills *launch with how the arm is run. The caller frees it with launch_free. */
void registry_launch(const struct backend *backend, const char *arm, struct launch *launch);
void launch_free(struct launch *launch);

/* Returns the path of a program beside heapmill, or of a library as LD_PRELOAD wants it. A path
 * stays as it is. The caller frees it. */
char *registry_program_path(const struct registry *registry, const char *program);
char *registry_preload_path(const struct registry *registry, const char *preload);

/* Knows the workloads of this build, as the malloc worker describes them. Belongs to one thread. */

enum { CATALOG_PARAMETERS_MAX = 8 };

/* Strings and JSON are borrowed from the description. */
struct catalog_parameter {
    const char *name;
    const char *unit;
    const char *summary;
    const json_t *standard; /* the default: a number, a word, or any text if there are no choices */
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

/* Returns STATUS_NOT_FOUND or STATUS_UNSUPPORTED if the malloc worker is missing or does not
 * answer. */
enum status catalog_open(struct catalog *catalog, const struct registry *registry,
                         struct error *error);
void catalog_close(struct catalog *catalog);

/* Turns text into the parameter's value, a new reference. Returns STATUS_INVALID if it is not a
 * number, out of bounds, or none of the words; the message has what is allowed. */
enum status catalog_parse_value(const struct catalog_parameter *parameter, const char *text,
                                json_t **value, struct error *error);

#endif
