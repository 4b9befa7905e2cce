#include "base/memory.h"
#include "cli/command.h"
#include "json/json_record.h"

static bool diff_run(struct command_call *call, struct error *err)
{
    static const char kinds[] = "CAD";
    if (!*call->arguments[0])
        return error_set(err, ERROR_INVALID, "Container name cannot be empty");
    _cleanup_free_ char *path = client_path("containers", call->arguments[0], "/changes");
    _cleanup_json_ json_t *changes = client_get_json(call->client, path, err);
    if (!changes)
        return false;
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        json_int_t kind = json_integer_value(json_object_get(change, "Kind"));
        if (kind >= 0 && kind < (json_int_t)sizeof(kinds) - 1)
            printf("%c %s\n", kinds[kind], string_or_empty(json_string_value(json_object_get(change, "Path"))));
    }
    return true;
}

const struct command diff_command = {
    .paths = {"container diff", "diff"},
    .usage = "CONTAINER",
    .help = "Inspect changes to files or directories on a container's filesystem",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = diff_run,
};
