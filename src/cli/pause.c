#include "base/memory.h"
#include "cli/command.h"

static bool pause_one(struct command_call *call, const char *name, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", name, "/pause");
    return client_post(call->client, path, NULL, err);
}

static bool pause_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, pause_one, err);
}

const struct command pause_command = {
    .paths = {"container pause", "pause"},
    .usage = "CONTAINER [CONTAINER...]",
    .help = "Pause all processes within one or more containers",
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = pause_run,
};
