#include "cli/command.h"

const struct command network_command = {
    .paths = {"network"},
    .usage = "COMMAND",
    .help = "Manage networks",
    .group = GROUP_MANAGEMENT,
};
