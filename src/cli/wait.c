#include "base/memory.h"
#include "cli/command.h"
#include "json/json_record.h"

static bool wait_one(struct command_call *call, const char *name, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", name, "/wait");
    _cleanup_json_ json_t *answer = client_post_json(call->client, path, NULL, err);
    if (!answer)
        return false;
    const char *message = json_string_value(json_object_get(json_object_get(answer, "Error"), "Message"));
    if (string_is_set(message))
        return error_set(err, ERROR_INTERNAL, "%s", message);
    printf("%lld\n", (long long)json_integer_value(json_object_get(answer, "StatusCode")));
    fflush(stdout);
    return true;
}

static bool wait_run(struct command_call *call, struct error *err)
{
    return command_each(call, false, wait_one, err);
}

const struct command wait_command = {
    .paths = {"container wait", "wait"},
    .usage = "CONTAINER [CONTAINER...]",
    .help = "Block until one or more containers stop, then print their exit codes",
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = wait_run,
};
