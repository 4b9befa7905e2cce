#include <string.h>

#include "base/memory.h"
#include "cli/command.h"

static bool rename_run(struct command_call *call, struct error *err)
{
    const char *old_name = call->arguments[0], *new_name = call->arguments[1];
    if (!*old_name || !*new_name)
        return error_set(err, ERROR_INVALID, "Error: Neither old nor new names may be empty");
    _cleanup_free_ char *base = client_path("containers", old_name, "/rename");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "name", new_name);
    struct error cause = ERROR_INIT;
    if (client_post(call->client, strbuf_text(&path), NULL, &cause))
        return true;
    command_print_error(&cause);
    return error_set(err, ERROR_INVALID, "Error: failed to rename container named %s", old_name);
}

const struct command rename_command = {
    .paths = {"container rename", "rename"},
    .usage = "CONTAINER NEW_NAME",
    .help = "Rename a container",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = rename_run,
};
