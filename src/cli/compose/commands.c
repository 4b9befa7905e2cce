/* The registry of wherry-compose, in place of cli/commands.c. */
#include "cli/command.h"

/* clang-format off */
#define COMMANDS(row) \
    row(compose) \
    row(compose_attach) \
    row(compose_build) \
    row(compose_config) \
    row(compose_cp) \
    row(compose_create) \
    row(compose_down) \
    row(compose_events) \
    row(compose_exec) \
    row(compose_images) \
    row(compose_kill) \
    row(compose_logs) \
    row(compose_ls) \
    row(compose_pause) \
    row(compose_port) \
    row(compose_ps) \
    row(compose_pull) \
    row(compose_push) \
    row(compose_restart) \
    row(compose_rm) \
    row(compose_run) \
    row(compose_scale) \
    row(compose_start) \
    row(compose_stats) \
    row(compose_stop) \
    row(compose_top) \
    row(compose_unpause) \
    row(compose_up) \
    row(compose_version) \
    row(compose_wait) \
    row(man)
/* clang-format on */

#define DECLARE(name) extern const struct command name##_command;
COMMANDS(DECLARE)

#define ADDRESS(name) &name##_command,
const struct command *const commands[] = {COMMANDS(ADDRESS)};
const size_t command_count = ARRAY_SIZE(commands);
