/* wherry-registry, which `wherry registry` becomes. */
#pragma once

#include "cli/command.h"

/* Runs `wherry-registry VERB` with the options that were given, in place of this process. Returns only where that
   fails. */
bool registry_program_become(struct command_call *call, const char *verb, struct error *err);
