/* heapmill: runs the command that the first argument names. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

/* Opens standard descriptors that are closed. Otherwise the first opened file would get such a
 * number, and a message would be written into it. */
static void main_open_standard_files(void)
{
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
}

static int main_run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        (void)printf("heapmill %s\n", HEAPMILL_VERSION);
        return EXIT_CLEAN;
    }
    return command_dispatch(&command_root, argc, argv);
}

int main(int argc, char **argv)
{
    main_open_standard_files();
    int status = main_run(argc, argv);
    /* A full disk or a closed pipe at stdout must not look like success. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fputs("heapmill: the output could not be written\n", stderr);
        return status == EXIT_CLEAN ? EXIT_ENVIRONMENT : status;
    }
    return status;
}
