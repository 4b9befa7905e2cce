/* What the user keeps in <config directory>/config.json: docker's own file, read when a command needs it. */
#pragma once

#include "cli/command.h"

/* The whole object: a new reference; an empty one where there is no file. NULL with err where it is malformed. */
json_t *config_file_read(const struct command_call *call, struct error *err);
/* Writes the object in docker's form, in one step; only its owner can read it. A link leads to the file that is meant.
 */
bool config_file_write(const struct command_call *call, const json_t *config, struct error *err);
/* Adds the proxies of the file ("proxies", by engine or "default") to the Env of a create request, unless the user set
   the variable. */
bool config_file_add_proxies(const struct command_call *call, json_t *request, struct error *err);
/* --detach-keys where given, else "detachKeys" of the file, else NULL. Caller frees. */
char *config_file_detach_keys(const struct command_call *call, const char *flag);
