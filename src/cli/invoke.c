/* From words to a command that runs: flags, the number of arguments, and the messages about wrong use. */
#include "cli/invoke.h"

#include <string.h>

#include "base/memory.h"
#include "cli/endpoint.h"

void command_print_error(struct error *err)
{
    if (err->message && err->message[0])
        fprintf(stderr, "%s\n", err->message);
    error_release(err);
}

bool command_fail_with_help(struct command_call *call, int exit_code, struct error *err)
{
    call->exit_code = exit_code;
    _cleanup_free_ char *message = xstrdup(error_message(err));
    return error_set(err, ERROR_INTERNAL, "wherry: %s\n\nRun 'wherry %s --help' for more information", message,
                     call->path);
}

bool command_each(struct command_call *call, bool prints_names,
                  bool (*action)(struct command_call *call, const char *name, struct error *err), struct error *err)
{
    bool is_good = true;
    for (size_t i = 0; i < call->argument_count; i++) {
        struct error cause = ERROR_INIT;
        if (!action(call, call->arguments[i], &cause)) {
            command_print_error(&cause);
            is_good = false;
        } else if (prints_names) {
            puts(call->arguments[i]);
            fflush(stdout);
        }
    }
    return is_good;
}

static void print_usage(const struct command *command, const char *path)
{
    _cleanup_strbuf_ struct strbuf usage = STRBUF_INIT;
    help_usage_line(command, path, &usage);
    fprintf(stderr, "\n%s\n", strbuf_text(&usage));
}

/* cli.RequiresMinArgs, ExactArgs and the others, in docker's words. */
static bool check_argument_count(const struct command *command, const char *path, size_t count)
{
    int minimum = command->min_arguments, maximum = command->max_arguments;
    if (count >= (size_t)minimum && (maximum < 0 || count <= (size_t)maximum))
        return true;
    fprintf(stderr, "wherry: 'wherry %s' ", path);
    int number = count < (size_t)minimum ? minimum : maximum;
    const char *noun = number == 1 ? "argument" : "arguments";
    bool says_see = false;
    if (maximum == 0) {
        fprintf(stderr, "accepts no arguments\n");
    } else if (minimum == maximum) {
        fprintf(stderr, "requires %d %s\n", number, noun);
    } else if (maximum < 0) {
        fprintf(stderr, "requires at least %d %s\n", number, noun);
        says_see = true;
    } else if (minimum > 0) {
        fprintf(stderr, "requires at least %d and at most %d %s\n", minimum, maximum,
                maximum == 1 ? "argument" : "arguments");
    } else {
        fprintf(stderr, "requires at most %d %s\n", number, noun);
    }
    print_usage(command, path);
    fprintf(stderr, "\n%s 'wherry %s --help' for more information\n", says_see ? "See" : "Run", path);
    return false;
}

static int run_with_values(const struct invocation *invocation, int argc, char **argv, void *values)
{
    const struct command *command = invocation->command;
    const char *path = command_canonical_path(command, invocation->path);
    _cleanup_option_parse_ struct option_parse parse = {.stops_at_first_argument = command->stops_at_first_argument};
    _cleanup_error_ struct error err = ERROR_INIT;
    if (!options_parse(&command->options, argc, argv, values, &parse, &err)) {
        bool is_refused = err.kind == ERROR_UNSUPPORTED;
        command_print_error(&err);
        if (is_refused)
            return EXIT_CODE_FAILURE;
        print_usage(command, path);
        fprintf(stderr, "\nRun 'wherry %s --help' for more information\n", path);
        return EXIT_CODE_USAGE;
    }
    if (parse.wants_help) {
        help_print(command, path);
        return 0;
    }
    if (!check_argument_count(command, path, parse.arguments.count))
        return EXIT_CODE_FAILURE;
    struct command_call call = {
        .command = command,
        .path = path,
        .values = values,
        .parse = &parse,
        .arguments = parse.arguments.items,
        .argument_count = parse.arguments.count,
        .is_debug = invocation->globals->is_debug,
        .globals = invocation->globals,
        .config_directory = invocation->config_directory,
    };
    _cleanup_(client_freep) struct client *client = NULL;
    if (!command->is_local) {
        call.client = client = endpoint_client(invocation->globals, call.config_directory, &err);
        if (!client) {
            fprintf(stderr, "Failed to initialize: %s\n", error_message(&err));
            return EXIT_CODE_FAILURE;
        }
    }
    if (command->run(&call, &err))
        return call.exit_code;
    fflush(stdout);
    command_print_error(&err);
    return call.exit_code ? call.exit_code : EXIT_CODE_FAILURE;
}

int command_invoke(const struct invocation *invocation, int argc, char **argv)
{
    const struct command *command = invocation->command;
    void *values = xcalloc(1, command->values_size + 1);
    if (command->set_defaults)
        command->set_defaults(values);
    int status = run_with_values(invocation, argc, argv, values);
    if (command->release_values)
        command->release_values(values);
    options_release(&command->options, values);
    free(values);
    return status;
}
