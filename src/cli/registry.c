#include "cli/command.h"

const struct command registry_command = {
    .paths = {"registry"},
    .usage = "COMMAND",
    .help = "Run a registry",
    .group = GROUP_MANAGEMENT,
};
