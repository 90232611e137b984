/* What `--base` names, alike in every command that has it. */
#ifndef HEAPMILL_CLI_BASE_OPTION_H
#define HEAPMILL_CLI_BASE_OPTION_H

#include <stdbool.h>

enum { BASE_OPTION_MAX = 1024 };

/* Cuts "BACKEND[{NAME=VALUE,…}][:ARM]", which is copied into text: *backend and *arm point there;
 * *arm is left alone where none is named. false: it is no such text, or too long a one. */
bool base_option_cut(const char *option, char text[BASE_OPTION_MAX], const char **backend,
                     const char **arm);

#endif
