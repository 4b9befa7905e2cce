#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/context_store.h"

static bool context_use_run(struct command_call *call, struct error *err)
{
    const char *name = call->arguments[0];
    bool is_default = string_equal(name, CONTEXT_DEFAULT);
    if (!is_default) {
        json_t *context = context_check_name(name, err) ? context_read(call->config_directory, name, err) : NULL;
        if (!context)
            return false;
        json_decref(context);
    }
    json_t *config = config_file_of(call->config_directory);
    if (is_default)
        json_object_del(config, "currentContext");
    else
        json_object_set_new(config, "currentContext", json_string(name));
    if (!config_file_write(call, config, err))
        return false;
    printf("%s\n", name);
    fflush(stdout);
    fprintf(stderr, "Current context is now \"%s\"\n", name);
    if (!is_default && environment_setting("HOST"))
        fprintf(stderr,
                "Warning: DOCKER_HOST environment variable overrides the active context. To use \"%s\", either set the "
                "global --context flag, or unset DOCKER_HOST environment variable.\n",
                name);
    return true;
}

const struct command context_use_command = {
    .paths = {"context use"},
    .usage = "CONTEXT",
    .help = "Set the current docker context",
    .is_local = true,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = context_use_run,
};
