#include "cli/command.h"

const struct command builder_command = {
    .paths = {"builder"},
    .usage = "COMMAND",
    .help = "Manage builds",
    .group = GROUP_MANAGEMENT,
};
