#include "cli/manifest_list.h"

const struct command manifest_command = {
    .paths = {"manifest"},
    .usage = "COMMAND",
    .help = "Manage Docker image manifests and manifest lists",
    .long_help =
        "The **docker manifest** command has subcommands for managing image manifests and\n"
        "manifest lists. A manifest list allows you to use one name to refer to the same image\n"
        "built for multiple architectures.\n\nTo see help for a subcommand, use:\n\n"
        "    docker manifest CMD --help\n\n"
        "For full details on using docker manifest lists, see the registry v2 specification." EXPERIMENTAL_HELP,
    .group = GROUP_MANAGEMENT,
};
