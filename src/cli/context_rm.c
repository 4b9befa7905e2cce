#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"

struct context_rm_options {
    bool is_forced;
};

static bool remove_one(struct command_call *call, const char *name, struct error *err)
{
    const struct context_rm_options *options = call->values;
    if (string_equal(name, CONTEXT_DEFAULT))
        return error_set(err, ERROR_INVALID, "context \"default\" cannot be removed");
    if (string_equal(name, endpoint_context(call->globals, call->config_directory))) {
        if (!options->is_forced)
            return error_set(err, ERROR_CONFLICT, "context \"%s\" is in use, set -f flag to force remove", name);
        json_t *config = config_file_of(call->config_directory);
        json_object_del(config, "currentContext");
        if (!config_file_write(call, config, err))
            return false;
    }
    if (!options->is_forced && !context_exists(call->config_directory, name))
        return error_set(err, ERROR_NOT_FOUND, "context \"%s\" does not exist", name);
    return context_remove(call->config_directory, name, err);
}

static bool context_rm_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, remove_one, err);
}

static const struct option context_rm_rows[] = {
    {"force", 'f', OPTION_BOOL, offsetof(struct context_rm_options, is_forced),
     .help = "Force the removal of a context in use"},
};

const struct command context_rm_command = {
    .paths = {"context rm", "context remove"},
    .usage = "CONTEXT [CONTEXT...]",
    .help = "Remove one or more contexts",
    .options = OPTION_TABLE(context_rm_rows),
    .values_size = sizeof(struct context_rm_options),
    .is_local = true,
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = context_rm_run,
};
