/* main.c's way to a command. */
#pragma once

#include "cli/command.h"

struct invocation {
    const struct command *command; /* one that runs */
    const char *path;              /* as typed: "container list" */
    const struct global_values *globals;
    const char *config_directory;
};
/* Runs the command on the words after its name and returns the exit code. */
int command_invoke(const struct invocation *invocation, int argc, char **argv);
