/* The registry: one line a command. `wherry --help` lists the common ones in this order, all others by name. */
#include "cli/command.h"

/* One line a command. */
/* clang-format off */
#define COMMANDS(row) \
    row(run) \
    row(exec) \
    row(ps) \
    row(build) \
    row(pull) \
    row(push) \
    row(images) \
    row(login) \
    row(logout) \
    row(search) \
    row(version) \
    row(info) \
    row(attach) \
    row(builder) \
    row(builder_du) \
    row(builder_prune) \
    row(completion) \
    row(completion_bash) \
    row(completion_fish) \
    row(completion_zsh) \
    row(container) \
    row(commit) \
    row(container_inspect) \
    row(container_prune) \
    row(commands_dump) \
    row(context) \
    row(context_create) \
    row(context_export) \
    row(context_import) \
    row(context_inspect) \
    row(context_ls) \
    row(context_rm) \
    row(context_show) \
    row(context_update) \
    row(context_use) \
    row(create) \
    row(events) \
    row(dial_stdio) \
    row(cp) \
    row(diff) \
    row(export) \
    row(history) \
    row(image) \
    row(image_inspect) \
    row(image_prune) \
    row(import) \
    row(inspect) \
    row(kill) \
    row(load) \
    row(logs) \
    row(man) \
    row(network) \
    row(network_connect) \
    row(network_create) \
    row(network_disconnect) \
    row(network_inspect) \
    row(network_ls) \
    row(network_prune) \
    row(network_rm) \
    row(manifest) \
    row(manifest_annotate) \
    row(manifest_create) \
    row(manifest_inspect) \
    row(manifest_push) \
    row(manifest_rm) \
    row(pause) \
    row(port) \
    row(registry) \
    row(registry_gc) \
    row(registry_serve) \
    row(rename) \
    row(restart) \
    row(rm) \
    row(rmi) \
    row(save) \
    row(start) \
    row(stats) \
    row(stop) \
    row(system) \
    row(system_check) \
    row(system_df) \
    row(system_prune) \
    row(tag) \
    row(top) \
    row(unpause) \
    row(update) \
    row(volume) \
    row(volume_create) \
    row(volume_inspect) \
    row(volume_ls) \
    row(volume_prune) \
    row(volume_rm) \
    row(volume_update) \
    row(wait)
/* clang-format on */

#define DECLARE(name) extern const struct command name##_command;
COMMANDS(DECLARE)

#define ADDRESS(name) &name##_command,
const struct command *const commands[] = {COMMANDS(ADDRESS)};
const size_t command_count = ARRAY_SIZE(commands);
