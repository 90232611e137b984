/* In builds that count lines, and in no other: gcov writes its counts at exit, which abort and
 * _exit leave out. Calls of theirs are linked to these (-Wl,--wrap), so that lines which only a
 * death test reaches are not taken for untested. */
#include <stdlib.h>
#include <unistd.h>

void __gcov_dump(void);
_Noreturn void __real_abort(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap_abort(void);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap_abort(void)
{
    __gcov_dump();
    __real_abort();
}

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
