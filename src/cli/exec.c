#include "base/memory.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/env_file.h"
#include "cli/flag_checks.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "json/json_record.h"

struct exec_options {
    bool detach;
    bool interactive;
    bool privileged;
    bool tty;
    char *detach_keys;
    char *user;
    char *workdir;
    struct strlist env;
    struct strlist env_file;
};

static json_t *list_json(char *const *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(items[i]));
    return array;
}

static json_t *console_size(const struct exec_options *options)
{
    unsigned height = 0, width = 0;
    return options->tty && terminal_size(&height, &width) ? json_pack("[i, i]", (int)height, (int)width) : NULL;
}

static json_t *create_body(const struct command_call *call, struct error *err)
{
    const struct exec_options *options = call->values;
    _cleanup_strlist_ struct strlist env = {0};
    for (size_t i = 0; i < options->env_file.count; i++) {
        if (!env_file_read(options->env_file.items[i], true, &env, err))
            return NULL;
    }
    for (size_t i = 0; i < options->env.count; i++)
        strlist_add(&env, options->env.items[i]);
    bool is_attached = !options->detach;
    json_t *body = json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:s, s:s}", "User", string_or_empty(options->user),
                             "Privileged", (int)options->privileged, "Tty", (int)options->tty, "AttachStdin",
                             (int)(is_attached && options->interactive), "AttachStderr", (int)is_attached,
                             "AttachStdout", (int)is_attached, "Detach", (int)options->detach, "DetachKeys",
                             string_or_empty(options->detach_keys), "WorkingDir", string_or_empty(options->workdir));
    if (env.count > 0)
        json_object_set_new(body, "Env", list_json(env.items, env.count));
    json_object_set_new(body, "Cmd", list_json(call->arguments + 1, call->argument_count - 1));
    json_t *size = console_size(options);
    if (size)
        json_object_set_new(body, "ConsoleSize", size);
    return body;
}

static bool take_exit_code(struct command_call *call, const char *id, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("/exec/%s/json", id);
    _cleanup_json_ json_t *state = client_get_json(call->client, path, err);
    if (!state)
        return false;
    call->exit_code = (int)json_integer_value(json_object_get(state, "ExitCode"));
    return true;
}

static bool run_attached(struct command_call *call, const char *id, struct error *err)
{
    const struct exec_options *options = call->values;
    _cleanup_free_ char *path = xasprintf("/exec/%s/start", id);
    _cleanup_free_ char *resize_path = xasprintf("/exec/%s/resize", id);
    _cleanup_json_ json_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", (int)options->tty);
    json_t *size = console_size(options);
    if (size)
        json_object_set_new(body, "ConsoleSize", size);
    _cleanup_hijack_ struct client_hijack hijack = CLIENT_HIJACK_INIT;
    if (!client_hijack(call->client, path, body, &hijack, err))
        return false;
    struct session session = {
        .client = call->client,
        .resize_path = options->tty ? resize_path : NULL,
        .hijack = &hijack,
        .is_tty = options->tty,
        .has_stdin = options->interactive,
        .signals = options->tty ? signals_open(false) : -1,
    };
    bool needs_keys = options->tty && options->interactive;
    _cleanup_free_ char *keys = needs_keys ? config_file_detach_keys(call, options->detach_keys) : NULL;
    session_set_keys(&session, keys);
    session_resize(&session);
    bool is_good = session_run(&session, err);
    close_fd(session.signals);
    if (session.is_detached)
        return error_set(err, ERROR_CANCELLED, "read escape sequence");
    return is_good && take_exit_code(call, id, err);
}

static bool exec_run(struct command_call *call, struct error *err)
{
    const struct exec_options *options = call->values;
    if (!options->detach && !terminal_check(options->interactive, options->tty, err))
        return false;
    _cleanup_json_ json_t *body = create_body(call, err);
    if (!body)
        return false;
    _cleanup_free_ char *path = client_path("containers", call->arguments[0], "/exec");
    _cleanup_json_ json_t *answer = client_post_json(call->client, path, body, err);
    const char *id = json_string_value(json_object_get(answer, "Id"));
    if (!answer)
        return false;
    if (!id)
        return error_set(err, ERROR_INTERNAL, "exec ID empty");
    if (!options->detach)
        return run_attached(call, id, err);
    _cleanup_free_ char *start_path = xasprintf("/exec/%s/start", id);
    _cleanup_json_ json_t *start = json_pack("{s:b, s:b}", "Detach", 1, "Tty", (int)options->tty);
    return client_post(call->client, start_path, start, err);
}

#define AT(member) offsetof(struct exec_options, member)
static const struct option rows[] = {
    {"detach", 'd', OPTION_BOOL, AT(detach), NULL, "Detached mode: run command in the background"},
    {"detach-keys", 0, OPTION_STRING, AT(detach_keys), "string", "Override the key sequence for detaching a container"},
    {"env", 'e', OPTION_LIST, AT(env), "list", "Set environment variables", .parse = check_env},
    {"env-file", 0, OPTION_LIST, AT(env_file), "list", "Read in a file of environment variables"},
    {"interactive", 'i', OPTION_BOOL, AT(interactive), NULL, "Keep STDIN open even if not attached"},
    {"privileged", 0, OPTION_BOOL, AT(privileged), NULL, "Give extended privileges to the command"},
    {"tty", 't', OPTION_BOOL, AT(tty), NULL, "Allocate a pseudo-TTY"},
    {"user", 'u', OPTION_STRING, AT(user), "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")"},
    {"workdir", 'w', OPTION_STRING, AT(workdir), "string", "Working directory inside the container"},
};

const struct command exec_command = {
    .paths = {"container exec", "exec"},
    .usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
    .help = "Execute a command in a running container",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct exec_options),
    .stops_at_first_argument = true,
    .min_arguments = 2,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = exec_run,
};
