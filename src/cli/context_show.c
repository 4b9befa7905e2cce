#include "cli/endpoint.h"

static bool context_show_run(struct command_call *call, struct error *err)
{
    puts(endpoint_context(call->globals, call->config_directory));
    return true;
}

const struct command context_show_command = {
    .paths = {"context show"},
    .usage = "",
    .help = "Print the name of the current context",
    .is_local = true,
    .run = context_show_run,
};
