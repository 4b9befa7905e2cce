/* `wherry completion SHELL`: scripts that ask `wherry __complete` for everything, so that they never grow old. */
#include "cli/command.h"

static const char bash_script[] =
    "# bash completion for wherry: . <(wherry completion bash)\n"
    "_wherry() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} out directive word prefix current words=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line != *[[:space:]] ]] || words+=('')\n"
    "    current=${words[${#words[@]} - 1]}\n"
    "    out=$(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null) || return\n"
    "    directive=${out##*:}\n"
    "    COMPREPLY=()\n"
    "    # The value of --flag=value comes without the flag.\n"
    "    [[ $current != --*=* ]] || current=${current#*=}\n"
    "    # Where a colon or = breaks words, only what follows the last is replaced.\n"
    "    prefix=''\n"
    "    [[ $COMP_WORDBREAKS != *:* || $current != *:* ]] || prefix=${current%\"${current##*:}\"}\n"
    "    while IFS= read -r word; do\n"
    "        word=${word%%$'\\t'*}\n"
    "        [[ -z $word || $word == :[0-9]* || $word != \"$current\"* ]] || COMPREPLY+=(\"${word#\"$prefix\"}\")\n"
    "    done <<<\"$out\"\n"
    "    (( (directive & 2) == 0 )) || compopt -o nospace 2>/dev/null\n"
    "    (( (directive & 4) != 0 || ${#COMPREPLY[@]} > 0 )) || compopt -o default 2>/dev/null\n"
    "}\n"
    "complete -F _wherry wherry\n";

static const char zsh_script[] =
    "#compdef wherry\n"
    "# zsh completion for wherry: source <(wherry completion zsh), or a file _wherry in a folder of $fpath\n"
    "_wherry() {\n"
    "    local out directive line name\n"
    "    local -a candidates\n"
    "    out=$(${words[1]} __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    directive=${out##*:}\n"
    "    for line in \"${(@f)out}\"; do\n"
    "        [[ -n $line && $line != :<-> ]] || continue\n"
    "        name=${line%%$'\\t'*}\n"
    "        if [[ $line == *$'\\t'* ]]; then\n"
    "            candidates+=(\"${name//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        else\n"
    "            candidates+=(\"${name//:/\\\\:}\")\n"
    "        fi\n"
    "    done\n"
    "    [[ ${words[CURRENT]} != -*=* ]] || compset -P '*='\n"
    "    if (( ${#candidates} )); then\n"
    "        if (( directive & 2 )); then _describe wherry candidates -S ''; else _describe wherry candidates; fi\n"
    "    elif (( ! (directive & 4) )); then\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] == _wherry ]]; then _wherry \"$@\"; else compdef _wherry wherry; fi\n";

static const char fish_script[] =
    "# fish completion for wherry: wherry completion fish | source\n"
    "function __wherry_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)\n"
    "    set -l directive (string replace ':' '' -- $lines[-1])\n"
    "    set -e lines[-1]\n"
    "    set -l flag (string match -r -- '^-[^=]*=' $words[-1]; or echo)\n"
    "    if test (count $lines) -eq 0; and test (math \"bitand(0$directive, 4)\") -eq 0\n"
    "        set lines (__fish_complete_path (string replace -- \"$flag\" '' $words[-1]))\n"
    "    end\n"
    "    test (count $lines) -eq 0; or printf \"$flag%s\\n\" $lines\n"
    "end\n"
    "complete -c wherry -f -a '(__wherry_complete)'\n";

static bool bash_run(struct command_call *call, struct error *err)
{
    fputs(bash_script, stdout);
    return true;
}

static bool zsh_run(struct command_call *call, struct error *err)
{
    fputs(zsh_script, stdout);
    return true;
}

static bool fish_run(struct command_call *call, struct error *err)
{
    fputs(fish_script, stdout);
    return true;
}

const struct command completion_command = {
    .paths = {"completion"},
    .usage = "COMMAND",
    .help = "Generate the autocompletion script for the specified shell",
    .long_help = "Generate the autocompletion script for wherry for the specified shell.\n"
                 "See each sub-command's help for details on how to use the generated script.",
    .is_hidden = true,
};

#define SHELL(name_)                                                                                                   \
    const struct command completion_##name_##_command = {                                                              \
        .paths = {"completion " #name_},                                                                               \
        .usage = "",                                                                                                   \
        .help = "Generate the autocompletion script for " #name_,                                                      \
        .is_local = true,                                                                                              \
        .run = name_##_run,                                                                                            \
    }
SHELL(bash);
SHELL(fish);
SHELL(zsh);
