/* The registry of wherry-compose, in place of cli/commands.c. */
#include "cli/command.h"

/* clang-format off */
#define COMMANDS(row) \
    row(compose) \
    row(compose_config) \
    row(compose_down) \
    row(compose_kill) \
    row(compose_pause) \
    row(compose_restart) \
    row(compose_stop) \
    row(compose_unpause) \
    row(compose_up) \
    row(man)
/* clang-format on */

#define DECLARE(name) extern const struct command name##_command;
COMMANDS(DECLARE)

#define ADDRESS(name) &name##_command,
const struct command *const commands[] = {COMMANDS(ADDRESS)};
const size_t command_count = ARRAY_SIZE(commands);
