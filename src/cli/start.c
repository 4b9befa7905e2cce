#include "base/memory.h"
#include "cli/attachment.h"
#include "json/json_record.h"

struct start_options {
    bool attach;
    bool interactive;
    char *checkpoint;
    char *checkpoint_directory;
    char *detach_keys;
};

static bool start_attached(struct command_call *call, struct error *err)
{
    const struct start_options *options = call->values;
    if (call->argument_count > 1)
        return error_set(err, ERROR_INVALID, "you cannot start and attach multiple containers at once");
    _cleanup_json_ json_t *container = container_inspect(call, call->arguments[0], err);
    if (!container)
        return false;
    const json_t *config = json_object_get(container, "Config");
    bool is_tty = json_is_true(json_object_get(config, "Tty"));
    bool is_removed = json_is_true(json_object_get(json_object_get(container, "HostConfig"), "AutoRemove"));
    struct attachment_request request = {
        .container = call->arguments[0],
        .detach_keys = options->detach_keys,
        .has_stdin = options->interactive && json_is_true(json_object_get(config, "OpenStdin")),
        .is_tty = is_tty,
        .forwards_signals = !is_tty,
        .starts = true,
        .condition = is_removed ? "removed" : "next-exit",
    };
    return attachment_run(call, &request, err);
}

static bool start_run(struct command_call *call, struct error *err)
{
    const struct start_options *options = call->values;
    if (options->attach || options->interactive)
        return start_attached(call, err);
    _cleanup_strlist_ struct strlist failed = {0};
    for (size_t i = 0; i < call->argument_count; i++) {
        const char *name = call->arguments[i];
        _cleanup_free_ char *path = client_path("containers", name, "/start");
        struct error cause = ERROR_INIT;
        if (client_post(call->client, path, NULL, &cause)) {
            puts(name);
            fflush(stdout);
        } else {
            command_print_error(&cause);
            strlist_add(&failed, name);
        }
    }
    if (failed.count == 0)
        return true;
    _cleanup_free_ char *names = strlist_join(&failed, ", ");
    return error_set(err, ERROR_INTERNAL, "Error: failed to start containers: %s", names);
}

#define CHECKPOINTS_REFUSED "checkpoints are not supported by this version of wherry"
#define AT(member)          offsetof(struct start_options, member)
static const struct option rows[] = {
    {"attach", 'a', OPTION_BOOL, AT(attach), NULL, "Attach STDOUT/STDERR and forward signals"},
    {"checkpoint", 0, OPTION_STRING, AT(checkpoint), "string", "Restore from this checkpoint",
     .unsupported = CHECKPOINTS_REFUSED, .is_hidden = true},
    {"checkpoint-dir", 0, OPTION_STRING, AT(checkpoint_directory), "string",
     "Use a custom checkpoint storage directory", .unsupported = CHECKPOINTS_REFUSED, .is_hidden = true},
    {"detach-keys", 0, OPTION_STRING, AT(detach_keys), "string", "Override the key sequence for detaching a container"},
    {"interactive", 'i', OPTION_BOOL, AT(interactive), NULL, "Attach container's STDIN"},
};

const struct command start_command = {
    .paths = {"container start", "start"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Start one or more stopped containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct start_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = start_run,
};
