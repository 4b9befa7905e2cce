#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/container_create.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "json/json_record.h"

#define EXIT_CODE_CANNOT_INVOKE 126
#define EXIT_CODE_NOT_FOUND     127

/* The exit code tells what kept the command from running, as a shell's does; docker reads it from the message. */
static int exit_code_of(const char *message)
{
    static const char *const not_found[] = {"executable file not found", "no such file or directory",
                                            "system cannot find the file specified"};
    static const char *const cannot_invoke[] = {"permission denied", "is a directory"};
    for (size_t i = 0; i < ARRAY_SIZE(not_found); i++) {
        if (strstr(message, not_found[i]))
            return EXIT_CODE_NOT_FOUND;
    }
    for (size_t i = 0; i < ARRAY_SIZE(cannot_invoke); i++) {
        if (strstr(message, cannot_invoke[i]))
            return EXIT_CODE_CANNOT_INVOKE;
    }
    return EXIT_CODE_USAGE;
}

static bool attach_streams(const struct command_call *call, const json_t *request, const char *id,
                           const char *detach_keys, struct client_hijack *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "/containers/%s/attach", id);
    client_query_add(&path, "detachKeys", string_is_set(detach_keys) ? detach_keys : NULL);
    client_query_add(&path, "stderr", json_is_true(json_object_get(request, "AttachStderr")) ? "1" : NULL);
    client_query_add(&path, "stdin", json_is_true(json_object_get(request, "AttachStdin")) ? "1" : NULL);
    client_query_add(&path, "stdout", json_is_true(json_object_get(request, "AttachStdout")) ? "1" : NULL);
    client_query_add(&path, "stream", "1");
    return client_hijack(call->client, strbuf_text(&path), NULL, out, err);
}

/* Registered before the start, so that no exit is missed. */
static struct client_stream *open_wait(const struct command_call *call, const char *id, bool until_removed,
                                       struct error *err)
{
    _cleanup_free_ char *path =
        xasprintf("/containers/%s/wait?condition=%s", id, until_removed ? "removed" : "next-exit");
    return client_stream_open(call->client, &(struct client_request){.method = "POST", .path = path}, err);
}

static bool run_detached(struct command_call *call, const char *id, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("/containers/%s/start", id);
    if (!client_post(call->client, path, NULL, err))
        return command_fail_with_help(call, exit_code_of(error_message(err)), err);
    puts(id);
    return true;
}

static bool run_attached(struct command_call *call, const json_t *request, const char *id, struct error *err)
{
    struct container_options *options = call->values;
    _cleanup_free_ char *resize_path = xasprintf("/containers/%s/resize", id);
    bool needs_keys = options->tty && json_is_true(json_object_get(request, "AttachStdin"));
    _cleanup_free_ char *keys = needs_keys ? config_file_detach_keys(call, options->detach_keys) : NULL;
    _cleanup_hijack_ struct client_hijack hijack = CLIENT_HIJACK_INIT;
    if (!attach_streams(call, request, id, needs_keys ? keys : options->detach_keys, &hijack, err))
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    _cleanup_(client_stream_freep) struct client_stream *wait = open_wait(call, id, options->remove, err);
    if (!wait)
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    struct session session = {
        .client = call->client,
        .container = id,
        .resize_path = options->tty ? resize_path : NULL,
        .hijack = &hijack,
        .is_tty = options->tty,
        .has_stdin = json_is_true(json_object_get(request, "AttachStdin")),
        .forwards_signals = options->sig_proxy,
        .wait = wait,
        .signals = signals_open(options->sig_proxy),
    };
    session_set_keys(&session, keys);
    _cleanup_free_ char *path = xasprintf("/containers/%s/start", id);
    if (!client_post(call->client, path, NULL, err)) {
        if (options->remove)
            json_decref(client_stream_json(wait, NULL));
        return command_fail_with_help(call, exit_code_of(error_message(err)), err);
    }
    session_resize(&session);
    bool is_good = session_run(&session, err);
    _cleanup_free_ char *wait_error = session.wait_error;
    close_fd(session.signals);
    if (!is_good || session.is_detached)
        return is_good;
    if (wait_error) {
        call->exit_code = EXIT_CODE_USAGE;
        return error_set(err, ERROR_INTERNAL, "Error waiting for container: %s", wait_error);
    }
    call->exit_code = (int)session.exit_code;
    return true;
}

static bool run_run(struct command_call *call, struct error *err)
{
    struct container_options *options = call->values;
    if (!pull_policy_check(options->pull, err))
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    _cleanup_json_ json_t *request =
        container_request_make(options, call->parse, call->arguments, client_host(call->client), err);
    if (!request)
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    if (!config_file_add_proxies(call, request, err))
        return command_fail_with_help(call, EXIT_CODE_USAGE, err);
    bool has_stdin = json_is_true(json_object_get(request, "AttachStdin"));
    if (options->detach && options->attach.count > 0)
        return error_set(err, ERROR_INVALID, "conflicting options: cannot specify both --attach and --detach");
    if (!options->detach && !terminal_check(has_stdin, options->tty, err))
        return false;
    _cleanup_free_ char *id = container_create(call, options, request, err);
    if (!id)
        return command_fail_with_help(call, exit_code_of(error_message(err)), err);
    bool is_attached = has_stdin || json_is_true(json_object_get(request, "AttachStdout")) ||
                       json_is_true(json_object_get(request, "AttachStderr"));
    return is_attached ? run_attached(call, request, id, err) : run_detached(call, id, err);
}

const struct command run_command = {
    .paths = {"container run", "run"},
    .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .help = "Create and run a new container from an image",
    .group = GROUP_COMMON,
    .options = RUN_OPTION_TABLE,
    .values_size = sizeof(struct container_options),
    .set_defaults = container_options_set_defaults,
    .stops_at_first_argument = true,
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = run_run,
};
