#include "cli/command.h"

const struct command context_command = {
    .paths = {"context"},
    .usage = "COMMAND",
    .help = "Manage contexts",
    .group = GROUP_MANAGEMENT,
};
