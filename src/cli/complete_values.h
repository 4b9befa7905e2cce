/* What stands for the arguments of commands and the values of flags in completion. */
#pragma once

#include "cli/command.h"

/* cobra's ShellCompDirective. */
enum { COMPLETE_DEFAULT = 0, COMPLETE_NO_SPACE = 2, COMPLETE_NO_FILES = 4, COMPLETE_FOLDERS = 16 };

struct complete_request {
    const struct global_values *globals;
    const char *directory;
    const struct command *command; /* may be NULL */
    size_t argument_count;         /* before the word */
};

/* Both return the directive; what cannot be asked for gives no values and no message. */
int complete_arguments(const struct complete_request *request, struct strlist *values);
int complete_flag_values(const struct complete_request *request, const char *flag, struct strlist *values);
