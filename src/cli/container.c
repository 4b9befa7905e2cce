#include "cli/command.h"

const struct command container_command = {
    .paths = {"container"},
    .usage = "COMMAND",
    .help = "Manage containers",
    .group = GROUP_MANAGEMENT,
};
