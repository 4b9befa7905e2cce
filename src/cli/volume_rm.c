#include "base/memory.h"
#include "cli/command.h"

struct volume_rm_options {
    bool is_forced;
};

static bool remove_volume(struct command_call *call, const char *name, struct error *err)
{
    const struct volume_rm_options *options = call->values;
    _cleanup_free_ char *path = client_path("volumes", name, options->is_forced ? "?force=1" : "");
    return client_delete(call->client, path, err);
}

static bool volume_rm_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, remove_volume, err);
}

static const struct option rows[] = {
    {"force", 'f', OPTION_BOOL, offsetof(struct volume_rm_options, is_forced),
     .help = "Force the removal of one or more volumes"},
};

const struct command volume_rm_command = {
    .paths = {"volume rm", "volume remove"},
    .usage = "[OPTIONS] VOLUME [VOLUME...]",
    .help = "Remove one or more volumes",
    .long_help = "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct volume_rm_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = volume_rm_run,
};
