#include "base/memory.h"
#include "cli/command.h"

static bool unpause_one(struct command_call *call, const char *name, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", name, "/unpause");
    return client_post(call->client, path, NULL, err);
}

static bool unpause_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, unpause_one, err);
}

const struct command unpause_command = {
    .paths = {"container unpause", "unpause"},
    .usage = "CONTAINER [CONTAINER...]",
    .help = "Unpause all processes within one or more containers",
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = unpause_run,
};
