#include "base/memory.h"
#include "cli/attachment.h"
#include "cli/terminal.h"
#include "json/json_record.h"

struct attach_options {
    char *detach_keys;
    bool no_stdin;
    bool sig_proxy;
};

static bool check_state(const json_t *container, struct error *err)
{
    const json_t *state = json_object_get(container, "State");
    if (!json_is_true(json_object_get(state, "Running")))
        return error_set(err, ERROR_CONFLICT, "cannot attach to a stopped container, start it first");
    if (json_is_true(json_object_get(state, "Paused")))
        return error_set(err, ERROR_CONFLICT, "You cannot attach to a paused container, unpause it first");
    if (json_is_true(json_object_get(state, "Restarting")))
        return error_set(err, ERROR_CONFLICT, "You cannot attach to a restarting container, wait until it is running");
    return true;
}

static bool attach_run(struct command_call *call, struct error *err)
{
    const struct attach_options *options = call->values;
    _cleanup_json_ json_t *container = container_inspect(call, call->arguments[0], err);
    if (!container || !check_state(container, err))
        return false;
    const json_t *config = json_object_get(container, "Config");
    bool is_tty = json_is_true(json_object_get(config, "Tty"));
    bool has_stdin = !options->no_stdin && json_is_true(json_object_get(config, "OpenStdin"));
    if (!terminal_check(!options->no_stdin, is_tty, err))
        return false;
    struct attachment_request request = {
        .container = call->arguments[0],
        .detach_keys = options->detach_keys,
        .has_stdin = has_stdin,
        .is_tty = is_tty,
        .forwards_signals = options->sig_proxy && !is_tty,
    };
    return attachment_run(call, &request, err);
}

static void attach_set_defaults(void *values)
{
    ((struct attach_options *)values)->sig_proxy = true;
}

#define AT(member) offsetof(struct attach_options, member)
static const struct option rows[] = {
    {"detach-keys", 0, OPTION_STRING, AT(detach_keys), "string", "Override the key sequence for detaching a container"},
    {"no-stdin", 0, OPTION_BOOL, AT(no_stdin), NULL, "Do not attach STDIN"},
    {"sig-proxy", 0, OPTION_BOOL, AT(sig_proxy), NULL, "Proxy all received signals to the process", "true"},
};

const struct command attach_command = {
    .paths = {"container attach", "attach"},
    .usage = "[OPTIONS] CONTAINER",
    .help = "Attach local standard input, output, and error streams to a running container",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct attach_options),
    .set_defaults = attach_set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = attach_run,
};
