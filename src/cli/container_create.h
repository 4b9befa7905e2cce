/* Create a container as run and create do it: pull where needed, container id file, warnings. */
#pragma once

#include "cli/command.h"
#include "cli/container_options.h"

/* Returns the id; the caller frees. NULL with err. */
char *container_create(const struct command_call *call, const struct container_options *options, json_t *request,
                       struct error *err);
