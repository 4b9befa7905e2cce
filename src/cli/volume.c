#include "cli/command.h"

const struct command volume_command = {
    .paths = {"volume"},
    .usage = "COMMAND",
    .help = "Manage volumes",
    .group = GROUP_MANAGEMENT,
};
