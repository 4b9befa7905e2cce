#include "base/memory.h"
#include "cli/command.h"

struct kill_options {
    char *signal;
};

static bool kill_one(struct command_call *call, const char *name, struct error *err)
{
    const struct kill_options *options = call->values;
    _cleanup_free_ char *base = client_path("containers", name, "/kill");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "signal", string_is_set(options->signal) ? options->signal : NULL);
    return client_post(call->client, strbuf_text(&path), NULL, err);
}

static bool kill_run(struct command_call *call, struct error *err)
{
    return command_each(call, true, kill_one, err);
}

static const struct option rows[] = {
    {"signal", 's', OPTION_STRING, offsetof(struct kill_options, signal), "string", "Signal to send to the container"},
};

const struct command kill_command = {
    .paths = {"container kill", "kill"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Kill one or more running containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct kill_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = kill_run,
};
