/* A plug-in, for life_test.c: it allocates and frees, and loads a library from where it lies. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

char *plugin_copy(const char *text);
void plugin_release(void *block);
void *plugin_load(const char *name);

char *plugin_copy(const char *text)
{
    return strdup(text);
}

void plugin_release(void *block)
{
    free(block);
}

void *plugin_load(const char *name)
{
    void *volatile library = dlopen(name, RTLD_NOW); /* not jumped to: it is to return here */
    return library;
}
