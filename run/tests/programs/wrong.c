/* A program that does one thing wrong with its blocks, for the tests of `heapmill exec --debug`.
 *   wrong PATTERN */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 100 };

int main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : "";
    char *block = malloc(BYTES);
    char *volatile wild = block; /* the compiler is not to see what comes */
    if (block == NULL) {
        return strcmp(pattern, "unchecked") == 0 ? block[0] : 3;
    }
    if (strcmp(pattern, "fill") == 0) {
        (void)printf("%02x", (unsigned char)wild[BYTES - 1]);
        free(block);
        (void)printf(" %02x\n", (unsigned char)wild[BYTES - 1]);
    } else if (strcmp(pattern, "double") == 0) {
        free(block);
        free(wild);
    } else if (strcmp(pattern, "beyond") == 0) {
        wild[BYTES] = 1;
        free(block);
    } else if (strcmp(pattern, "before") == 0) {
        wild[-1] = 1;
        free(block);
    } else if (strcmp(pattern, "after") == 0) {
        free(block);
        wild[BYTES / 2] = 1;
    } else if (strcmp(pattern, "realloc") == 0) {
        free(block);
        wild = realloc(wild, BYTES);
    } else if (strcmp(pattern, "size") == 0) {
        void (*free_sized)(void *block, size_t size);
        *(void **)&free_sized =
            dlsym(RTLD_DEFAULT, "_ZdlPvm"); /* operator delete(void *, size_t) */
        free_sized(block, BYTES - 1);
    } else if (strcmp(pattern, "unchecked") == 0) {
        char *second = malloc(BYTES);
        *(char *volatile *)&second = second;
        second[0] = 1;
        free(second);
        free(block);
    } else if (strcmp(pattern, "status") == 0) {
        free(block);
        return 7;
    } else {
        free(block);
    }
    return 0;
}
