#include "cli/command.h"

extern const struct command compose_command;
const struct command compose_command = {
    .paths = {"compose"},
    .usage = "[OPTIONS] COMMAND",
    .help = "Define and run multi-container applications",
    .group = GROUP_MANAGEMENT,
};
