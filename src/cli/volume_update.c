#include "base/memory.h"
#include "cli/command.h"
#include "json/json_record.h"

struct volume_update_options {
    char *availability;
};

static bool volume_update_run(struct command_call *call, struct error *err)
{
    _cleanup_free_ char *path = client_path("volumes", call->arguments[0], "");
    _cleanup_json_ json_t *volume = client_get_json(call->client, path, err);
    if (!volume)
        return false;
    if (!json_object_get(volume, "ClusterVolume"))
        return error_set(err, ERROR_INVALID, "can only update cluster volumes");
    return error_set(err, ERROR_UNSUPPORTED, "cluster volumes are not supported by this version");
}

static void set_defaults(void *values)
{
    ((struct volume_update_options *)values)->availability = xstrdup("active");
}

static const struct option rows[] = {
    {"availability", 0, OPTION_STRING, offsetof(struct volume_update_options, availability), "string",
     "Cluster Volume availability (\"active\", \"pause\", \"drain\")", "active"},
};

const struct command volume_update_command = {
    .paths = {"volume update"},
    .usage = "[OPTIONS] [VOLUME]",
    .help = "Update a volume (cluster volumes only)",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct volume_update_options),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = volume_update_run,
};
