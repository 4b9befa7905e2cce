#include <unistd.h>

#include "cli/compose/delegate.h"

struct exec_values {
    bool is_detached, has_no_tty, is_privileged;
    struct strlist env;
    int64_t index;
    char *user, *workdir;
};

static bool exec_run(struct command_call *call, struct error *err)
{
    const struct exec_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, 1, false, &view, err))
        return false;
    const struct compose_container *container =
        compose_view_container(&view, call->arguments[0], values->index, true, err);
    if (!container)
        return false;
    _cleanup_strlist_ struct strlist words = {0};
    bool wants_tty = !values->has_no_tty && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (values->is_detached)
        strlist_add(&words, "-d");
    else
        strlist_add(&words, "-i");
    if (wants_tty && !values->is_detached)
        strlist_add(&words, "-t");
    if (values->is_privileged)
        strlist_add(&words, "--privileged");
    words_add_options(&words, "-e", &values->env);
    words_add_option(&words, "-u", values->user);
    words_add_option(&words, "-w", values->workdir);
    strlist_add(&words, container->id);
    for (size_t i = 1; i < call->argument_count; i++)
        strlist_add(&words, call->arguments[i]);
    return compose_delegate(call, &exec_command, "compose exec", &words);
}

#define AT(member) offsetof(struct exec_values, member)
static const struct option rows[] = {
    {"detach", 'd', OPTION_BOOL, AT(is_detached), .help = "Detached mode: Run command in the background"},
    {"env", 'e', OPTION_LIST, AT(env), "stringArray", "Set environment variables"},
    {"index", 0, OPTION_INT64, AT(index), "int", "Index of the container if service has multiple replicas"},
    {"no-TTY", 'T', OPTION_BOOL, AT(has_no_tty),
     .help = "Disable pseudo-TTY allocation. By default a TTY is allocated where there is a terminal."},
    {"privileged", 0, OPTION_BOOL, AT(is_privileged), .help = "Give extended privileges to the process"},
    {"user", 'u', OPTION_STRING, AT(user), "string", "Run the command as this user"},
    {"workdir", 'w', OPTION_STRING, AT(workdir), "string", "Path to workdir directory for this command"},
};

extern const struct command compose_exec_command;
const struct command compose_exec_command = {
    .paths = {"compose exec"},
    .usage = "[OPTIONS] SERVICE COMMAND [ARGS...]",
    .help = "Execute a command in a running container",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct exec_values),
    .stops_at_first_argument = true,
    .min_arguments = 2,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = exec_run,
};
