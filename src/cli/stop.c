#include "base/memory.h"
#include "cli/stop_options.h"

static bool stop_one(struct command_call *call, const char *name, struct error *err)
{
    return stop_request(call, name, "/stop", err);
}

static bool stop_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, stop_one, err);
}

static const struct option rows[] = STOP_OPTION_ROWS;

const struct command stop_command = {
    .paths = {"container stop", "stop"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Stop one or more running containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct stop_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = stop_run,
};
