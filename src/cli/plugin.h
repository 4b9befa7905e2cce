/* Programs that add commands: docker-NAME and wherry-NAME in the folders for plugins, run as docker runs them. */
#pragma once

#include <jansson.h>

#include "base/text.h"

/* What a candidate says of itself, and what keeps it from being used. */
struct cli_plugin {
    char *name;
    char *path;
    json_t *metadata; /* NULL: could not be had */
    char *problem;    /* NULL: none */
};
void cli_plugin_release(struct cli_plugin *plugin);
#define _cleanup_cli_plugin_ _cleanup_(cli_plugin_release)

/* The plugin that is part of Wherry and lies beside us: "compose". NULL where it does not. Caller frees. */
char *cli_plugin_own(const char *name);
/* The path of the program for a name that is no command of ours, or NULL. Nothing is started. Caller frees. */
char *cli_plugin_find(const char *directory, const char *name);
/* Asks the program for its metadata. */
void cli_plugin_ask(const char *name, const char *path, struct cli_plugin *out);
/* Every candidate by name, asked; the caller releases each and frees the array. */
struct cli_plugin *cli_plugins_all(const char *directory, size_t *count);
/* Becomes the plugin, with our arguments (argv without our own name). Returns an exit code where that fails. */
int cli_plugin_run(const char *path, int argc, char **argv, const char *name);
