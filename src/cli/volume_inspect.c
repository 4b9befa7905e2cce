#include "base/memory.h"
#include "cli/api_types.h"
#include "cli/inspect.h"
#include "cli/listing.h"

struct volume_inspect_options {
    char *format;
};

static bool fetch(struct command_call *call, const char *name, struct inspected *out, struct error *err)
{
    if (!*name)
        return error_set(err, ERROR_NOT_FOUND, "no such volume: ");
    return inspect_get(call, "volumes", name, "", &volume_type, out, err);
}

static bool volume_inspect_run(struct command_call *call, struct error *err)
{
    const struct volume_inspect_options *options = call->values;
    return inspect_print(call, options->format, fetch, err);
}

static const struct option rows[] = {
    {"format", 'f', OPTION_STRING, offsetof(struct volume_inspect_options, format), "string", FORMAT_HELP_INSPECT},
};

const struct command volume_inspect_command = {
    .paths = {"volume inspect"},
    .usage = "[OPTIONS] VOLUME [VOLUME...]",
    .help = "Display detailed information on one or more volumes",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct volume_inspect_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = volume_inspect_run,
};
