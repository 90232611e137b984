/* heapmill: finds the command that the first argument names, and runs it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/host/text.h"

enum { COMMANDS_MAX = 64 };

static void main_print_help(FILE *file)
{
    (void)fputs("heapmill: which memory manager belongs under an object runtime?\n"
                "\n"
                "usage: heapmill COMMAND [OPTION…]\n"
                "       heapmill COMMAND --help\n"
                "       heapmill --version\n"
                "\n"
                "commands:\n",
                file);
    for (size_t i = 0; command_table[i] != NULL; i++) {
        (void)fprintf(file, "  %-10s %s\n", command_table[i]->name, command_table[i]->summary);
    }
    (void)fputs(
        "\n"
        "exit status: 0 clean, 1 a finding or a regression, 2 wrong usage, 3 something that is\n"
        "needed is missing, 4 results are there but some cells failed, 130 interrupted\n",
        file);
}

static int main_refuse_unknown(const char *name)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    for (; count < COMMANDS_MAX && command_table[count] != NULL; count++) {
        names[count] = command_table[count]->name;
    }
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL) {
        (void)fprintf(stderr, "heapmill: there is no command '%s'; did you mean '%s'?\n", name,
                      nearest);
    } else {
        (void)fprintf(stderr, "heapmill: there is no command '%s'; `heapmill help` lists them\n",
                      name);
    }
    return EXIT_USAGE;
}

static const struct command *main_find(const char *name)
{
    for (size_t i = 0; command_table[i] != NULL; i++) {
        if (strcmp(command_table[i]->name, name) == 0) {
            return command_table[i];
        }
    }
    return NULL;
}

/* Is --help among the options, that is before a "--"? */
static bool main_asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int main_run(const struct command *command, int argc, char **argv)
{
    if (!command->own_help && main_asks_help(argc, argv)) {
        (void)fputs(command->usage, stdout);
        return EXIT_CLEAN;
    }
    return command->run(argc, argv);
}

static int main_dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        main_print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        (void)printf("heapmill %s\n", HEAPMILL_VERSION);
        return EXIT_CLEAN;
    }
    bool help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (help && argc == 2) {
        main_print_help(stdout);
        return EXIT_CLEAN;
    }
    const struct command *command = main_find(help ? argv[2] : name);
    if (command == NULL) {
        return main_refuse_unknown(help ? argv[2] : name);
    }
    if (help) {
        (void)fputs(command->usage, stdout);
        return EXIT_CLEAN;
    }
    return main_run(command, argc - 1, argv + 1);
}

/* Were one of the three standard descriptors closed, the first file that is opened would get its
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

int main(int argc, char **argv)
{
    main_open_standard_files();
    int status = main_dispatch(argc, argv);
    /* A full disk or a closed pipe behind stdout must not look like success. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fputs("heapmill: the output could not be written\n", stderr);
        return status == EXIT_CLEAN ? EXIT_ENVIRONMENT : status;
    }
    return status;
}
