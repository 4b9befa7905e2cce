#include "cli/command.h"

const struct command image_command = {
    .paths = {"image"},
    .usage = "COMMAND",
    .help = "Manage images",
    .group = GROUP_MANAGEMENT,
};
