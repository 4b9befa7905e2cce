#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "runtime/command_line/command_line.h"
#include "json/json_record.h"

#define AT(member) offsetof(struct runtime_options, member)
#define ROW(name_, short_, kind_, member_, value_, help_)                                                              \
    {                                                                                                                  \
        .name = (name_), .short_name = (short_), .kind = (kind_), .offset = AT(member_), .value_name = (value_),       \
        .help = (help_)                                                                                                \
    }
#define REFUSED(name_, kind_, help_, why_)                                                                             \
    {                                                                                                                  \
        .name = (name_), .kind = (kind_), .offset = AT(wants_tty), .help = (help_), .unsupported = (why_)              \
    }

#define BUNDLE                                                                                                         \
    ROW("bundle", 'b', OPTION_STRING, bundle, "path", "the folder with config.json, the current one unless given")
#define PID_FILE ROW("pid-file", 0, OPTION_STRING, pid_file, "path", "where to write the process id")
#define CONSOLE_SOCKET                                                                                                 \
    ROW("console-socket", 0, OPTION_STRING, console_socket, "path", "a unix socket to send the terminal's master to")
#define DETACH ROW("detach", 'd', OPTION_BOOL, is_detached, NULL, "do not wait for the process to end")

static const struct option global_options[] = {
    ROW("root", 0, OPTION_STRING, root, "path", "where the state of containers is kept (default /run/wherry-runtime)"),
    ROW("log", 0, OPTION_STRING, log, "path", "a file to write errors to, beside standard error"),
    ROW("log-format", 0, OPTION_STRING, log_format, "format", "text or json"),
    ROW("debug", 0, OPTION_BOOL, is_debug, NULL, "accepted for compatibility: there are no debug messages"),
    ROW("version", 'v', OPTION_BOOL, wants_version, NULL, "print the version"),
    REFUSED("systemd-cgroup", OPTION_BOOL, "not supported", "the systemd cgroup driver is not supported"),
};
static const struct option run_options[] = {
    BUNDLE, PID_FILE, CONSOLE_SOCKET, DETACH,
    REFUSED("no-pivot", OPTION_BOOL, "not supported", "--no-pivot is not supported")};
static const struct option create_options[] = {
    BUNDLE, PID_FILE, CONSOLE_SOCKET, REFUSED("no-pivot", OPTION_BOOL, "not supported", "--no-pivot is not supported")};
static const struct option kill_options[] = {
    ROW("all", 'a', OPTION_BOOL, kills_all, NULL, "signal every process of the container")};
static const struct option delete_options[] = {
    ROW("force", 'f', OPTION_BOOL, is_forced, NULL, "kill the container first if it runs")};
static const struct option exec_options[] = {
    PID_FILE,
    CONSOLE_SOCKET,
    DETACH,
    ROW("tty", 't', OPTION_BOOL, wants_tty, NULL, "give the process a terminal"),
    ROW("user", 'u', OPTION_STRING, user, "user", "a user, with :group if wanted, by name or number"),
    ROW("cwd", 0, OPTION_STRING, cwd, "path", "working folder in the container"),
    ROW("env", 'e', OPTION_LIST, env, "list", "KEY=VALUE to add to the environment"),
    ROW("cap", 'c', OPTION_LIST, capabilities, "list", "a capability to add"),
    ROW("process", 'p', OPTION_STRING, process_file, "path", "a JSON file with the whole process"),
};
static const struct option list_options[] = {
    ROW("format", 'f', OPTION_STRING, format, "format", "table or json"),
    ROW("quiet", 'q', OPTION_BOOL, is_quiet, NULL, "ids only"),
};
static const struct option spec_options[] = {BUNDLE};

#define TABLE(rows_)                                                                                                   \
    {                                                                                                                  \
        (rows_), ARRAY_SIZE(rows_)                                                                                     \
    }
static const struct command {
    const char *name, *usage, *help;
    struct option_table options;
    size_t min_arguments, max_arguments;
    command_function *function; /* NULL: known, and refused */
} commands[] = {
    {"create", "ID", "create a container", TABLE(create_options), 1, 1, command_create},
    {"delete", "ID", "remove a container that has ended", TABLE(delete_options), 1, 1, command_delete},
    {"exec", "ID COMMAND [ARGUMENT...]", "run one more process in a container", TABLE(exec_options), 1, SIZE_MAX,
     command_exec},
    {"kill", "ID [SIGNAL]", "send a signal to the container's first process (SIGTERM)", TABLE(kill_options), 1, 2,
     command_kill},
    {"list", "", "list the containers of this root", TABLE(list_options), 0, 0, command_list},
    {"run", "ID", "create a container, start it and wait for its end", TABLE(run_options), 1, 1, command_run},
    {"spec", "", "write an example config.json", TABLE(spec_options), 0, 0, command_spec},
    {"start", "ID", "start a container that was created", {NULL, 0}, 1, 1, command_start},
    {"state", "ID", "print the state of a container", {NULL, 0}, 1, 1, command_state},
    {"checkpoint", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"events", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"features", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"pause", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"ps", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"restore", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"resume", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
    {"update", "", NULL, {NULL, 0}, 0, SIZE_MAX, NULL},
};

static int print_help(const struct command *command, const struct option_table *options)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    options_help(options, 100, &text);
    if (command) {
        printf("Usage: wherry-runtime %s [OPTIONS] %s\n\n%s\n\nOptions:\n%s", command->name, command->usage,
               command->help, strbuf_text(&text));
        return 0;
    }
    printf("Usage: wherry-runtime [OPTIONS] COMMAND\n\nRun containers from OCI bundles\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (commands[i].function)
            printf("  %-8s %s\n", commands[i].name, commands[i].help);
    printf("\nOptions:\n%s", strbuf_text(&text));
    return 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int run_command(const struct command *command, struct runtime_options *options, const struct strlist *words,
                       struct error *err)
{
    _cleanup_option_parse_ struct option_parse parse = {.stops_at_first_argument = strcmp(command->name, "exec") == 0};
    if (!command->function) {
        error_set(err, ERROR_UNSUPPORTED, "%s is not supported", command->name);
        return -1;
    }
    if (!options_parse(&command->options, (int)words->count - 1, words->items + 1, options, &parse, err))
        return -1;
    if (parse.wants_help)
        return print_help(command, &command->options);
    if (parse.arguments.count < command->min_arguments || parse.arguments.count > command->max_arguments) {
        error_set(err, ERROR_INVALID, "usage: wherry-runtime %s [OPTIONS] %s", command->name, command->usage);
        return -1;
    }
    int code = command->function(options, &parse.arguments, err);
    options_release(&command->options, options);
    return code;
}

/* In the form that engines read back: logrus's, as text or as JSON lines. */
static void log_failure(const struct runtime_options *options, const char *message)
{
    char time[TIME_TEXT_SIZE];
    fprintf(stderr, "wherry-runtime: %s\n", message);
    if (!string_is_set(options->log))
        return;
    _cleanup_close_ int fd = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    time_format(clock_now(), time);
    _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
    if (string_equal(options->log_format, "json")) {
        json_t *record = json_pack("{ssssss}", "level", "error", "msg", message, "time", time);
        _cleanup_free_ char *text = json_format(record);
        json_decref(record);
        strbuf_addf(&line, "%s\n", text);
    } else {
        strbuf_addf(&line, "time=\"%s\" level=error msg=", time);
        string_quote(message, &line);
        strbuf_add_char(&line, '\n');
    }
    if (fd >= 0 && write_full(fd, strbuf_text(&line), line.length) < 0)
        fprintf(stderr, "wherry-runtime: write %s failed\n", options->log);
}

static int dispatch(int argc, char **argv, const struct option_table *globals, struct runtime_options *options,
                    struct error *err)
{
    _cleanup_option_parse_ struct option_parse parse = {.stops_at_first_argument = true};
    if (!options_parse(globals, argc - 1, argv + 1, options, &parse, err))
        return -1;
    if (options->wants_version) {
        printf("wherry-runtime version " WHERRY_VERSION "\nspec: " SPEC_VERSION "\n");
        return 0;
    }
    if (parse.wants_help || !parse.arguments.count)
        return print_help(NULL, globals);
    if (!string_is_set(options->root))
        string_replace(&options->root, "/run/wherry-runtime");
    const struct command *command = find_command(parse.arguments.items[0]);
    if (!command) {
        error_set(err, ERROR_INVALID, "unknown command %s; see wherry-runtime --help", parse.arguments.items[0]);
        return -1;
    }
    return run_command(command, options, &parse.arguments, err);
}

int main(int argc, char **argv)
{
    static const struct option_table globals = TABLE(global_options);
    struct runtime_options options = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    int code = dispatch(argc, argv, &globals, &options, &err);
    if (code < 0) {
        log_failure(&options, error_message(&err));
        code = 1;
    }
    options_release(&globals, &options);
    return code;
}
