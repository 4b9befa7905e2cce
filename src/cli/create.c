#include "base/memory.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/container_create.h"
#include "json/json_record.h"

static bool create_run(struct command_call *call, struct error *err)
{
    struct container_options *options = call->values;
    if (!pull_policy_check(options->pull, err))
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    _cleanup_json_ json_t *request =
        container_request_make(options, call->parse, call->arguments, client_host(call->client), err);
    if (!request || !config_file_add_proxies(call, request, err))
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    _cleanup_free_ char *id = container_create(call, options, request, err);
    if (id)
        puts(id);
    return id != NULL;
}

const struct command create_command = {
    .paths = {"container create", "create"},
    .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .help = "Create a new container",
    .options = CREATE_OPTION_TABLE,
    .values_size = sizeof(struct container_options),
    .set_defaults = container_options_set_defaults,
    .stops_at_first_argument = true,
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = create_run,
};
