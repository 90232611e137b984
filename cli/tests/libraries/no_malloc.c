/* A library that has no malloc: heapmill must refuse it by name, not measure glibc's under its
 * name. */
int no_malloc_answer(void);

int no_malloc_answer(void)
{
    return 42;
}
