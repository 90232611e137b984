/* heapmill completion: prints a shell's completion script. The script asks this program, which
 * answers from the tables that parse the options, so nothing is stated twice. */
#include <stdio.h>

#include "cli/command.h"
#include "common/host/completion.h"

struct completion_arguments {
    unsigned what;
    char **words; /* of `candidates`: the words after "heapmill"; the last one is completed */
};

static const char *const completion_words[] = {"bash", "zsh", "fish", "candidates", NULL};
enum { COMPLETION_CANDIDATES = 3 };

static const struct option_row completion_options[] = {
    {OPTION_CHOICE, .placeholder = "WHAT", .words = completion_words, .shown = "bash",
     .help = "print a shell's script, or the candidates for the last word after `--`",
     OPTION_INTO(struct completion_arguments, what)},
    {OPTION_REST, .placeholder = "WORD…",
     .help = "a command line, without `heapmill`, up to the word under the cursor",
     OPTION_INTO(struct completion_arguments, words)},
    {.kind = OPTION_END},
};

static const char *const completion_scripts[] = {
    "_heapmill() {\n"
    "    local line word=${COMP_WORDS[COMP_CWORD]}\n"
    "    [[ $word == '=' ]] && word=\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
    "        :directories)\n"
    "            compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
    "        *) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
    "        esac\n"
    "    done < <(\"${COMP_WORDS[0]}\" completion candidates -- \"${COMP_WORDS[@]:1:COMP_CWORD}\""
    " 2>/dev/null)\n"
    "}\n"
    "complete -F _heapmill heapmill\n",
    "#compdef heapmill\n"
    "_heapmill() {\n"
    "    local line\n"
    "    local -a lines described\n"
    "    lines=(\"${(@f)$(\"${(Q)words[1]}\" completion candidates -- \"${(@Q)words[2,CURRENT]}\""
    " 2>/dev/null)}\")\n"
    "    case $lines[1] in\n"
    "    :files) _files ;;\n"
    "    :directories) _files -/ ;;\n"
    "    *)\n"
    "        for line in $lines; do\n"
    "            described+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        done\n"
    "        _describe heapmill described ;;\n"
    "    esac\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _heapmill ]; then _heapmill \"$@\"; else compdef _heapmill heapmill; "
    "fi\n",
    "function __heapmill_candidates\n"
    "    set -l before (commandline -opc)\n"
    "    set -l word (commandline -ct)\n"
    "    set -l lines ($before[1] completion candidates -- $before[2..-1] \"$word\" "
    "2>/dev/null)\n"
    "    switch \"$lines[1]\"\n"
    "        case ':files'\n"
    "            __fish_complete_path \"$word\"\n"
    "        case ':directories'\n"
    "            __fish_complete_directories \"$word\" ''\n"
    "        case '*'\n"
    "            printf '%s\\n' $lines\n"
    "    end\n"
    "end\n"
    "complete -c heapmill -f -a '(__heapmill_candidates)'\n",
};

static int completion_execute(const struct invocation *invocation, void *arguments)
{
    struct completion_arguments *asked = arguments;
    (void)invocation;
    if (asked->what != COMPLETION_CANDIDATES) {
        (void)fputs(completion_scripts[asked->what], stdout);
        return EXIT_CLEAN;
    }
    if (asked->words != NULL) {
        completion_print(&command_root, asked->words);
    }
    return EXIT_CLEAN;
}

const struct command command_completion = {
    .name = "completion",
    .summary = "prints the script that completes command lines in bash, zsh or fish",
    .description = "Prints a script that completes commands, options and values. `cmake --install` "
                   "puts the three scripts into the shells' own directories; without it, use:\n"
                   "\n"
                   "  bash: source <(heapmill completion bash)\n"
                   "  zsh:  source <(heapmill completion zsh)\n"
                   "  fish: heapmill completion fish | source",
    .options = completion_options,
    .arguments_size = sizeof(struct completion_arguments),
    .exit_statuses = "0 clean; 2 wrong usage",
    .execute = completion_execute,
};
