/* A command of wherry, run with words that name a container instead of a service. */
#pragma once

#include "cli/compose/engine.h"

/* `path` is how it calls itself in messages ("compose exec"). What it says it has said; its exit code becomes the
   call's. */
bool compose_delegate(struct command_call *call, const struct command *command, const char *path,
                      const struct strlist *words);
/* Adds "--name" and its value, where there is one. */
void words_add_option(struct strlist *words, const char *name, const char *value);
void words_add_options(struct strlist *words, const char *name, const struct strlist *values);
extern const struct command exec_command, cp_command, stats_command, attach_command, start_command, build_command,
    push_command, pull_command;
