/* A program that brings its own malloc, as Chromium does: what is preloaded is not in force. */
#include <stddef.h>
#include <string.h>

static _Alignas(16) char arena[1 << 22];
static size_t used;

void *malloc(size_t size)
{
    used = (used + 15) & ~(size_t)15;
    void *block = size < sizeof(arena) - used ? &arena[used] : NULL;
    used += block != NULL ? size : 0;
    return block;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return malloc(count * size);
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    return moved == NULL || block == NULL ? moved : memmove(moved, block, size);
}

int main(void)
{
    char *text = malloc(100000);
    return text == NULL;
}
