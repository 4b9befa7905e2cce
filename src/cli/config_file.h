/* What the user keeps in <config directory>/config.json: docker's own file. It is read once, when first needed; a
   damaged one gives docker's warning and counts as far as it could be read. */
#pragma once

#include "cli/command.h"

/* The value of a setting of WHERRY_<name>, else of DOCKER_<name>, that is not empty; else NULL. */
const char *environment_setting(const char *name);

/* The whole object, owned by the program; an empty one where there is no file. */
json_t *config_file_of(const char *directory);
/* The same as a new reference. Never NULL. */
json_t *config_file_read(const struct command_call *call, struct error *err);
/* The string of a key, or NULL. */
const char *config_file_text(const struct command_call *call, const char *key);
/* Writes the object as docker does: mode 0600, tabs, the keys of unknown use kept. */
bool config_file_write(const struct command_call *call, const json_t *config, struct error *err);
/* Adds the proxies of the file ("proxies", by engine or "default") to the Env of a create request, unless the user set
   the variable. */
bool config_file_add_proxies(const struct command_call *call, json_t *request, struct error *err);
/* --detach-keys where given, else "detachKeys" of the file, else NULL. Caller frees. */
char *config_file_detach_keys(const struct command_call *call, const char *flag);
