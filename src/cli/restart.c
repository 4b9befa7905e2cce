#include "base/memory.h"
#include "cli/stop_options.h"

static bool restart_one(struct command_call *call, const char *name, struct error *err)
{
    return stop_request(call, name, "/restart", err);
}

static bool restart_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, restart_one, err);
}

static const struct option rows[] = STOP_OPTION_ROWS;

const struct command restart_command = {
    .paths = {"container restart", "restart"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Restart one or more containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct stop_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = restart_run,
};
