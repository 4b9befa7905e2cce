#include "cli/command.h"

const struct command system_command = {
    .paths = {"system"},
    .usage = "COMMAND",
    .help = "Manage Wherry",
    .group = GROUP_MANAGEMENT,
};
