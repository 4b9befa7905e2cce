/* wherry: the command line. Starts nothing that a command does not need: no locale, no threads, no connection. */
#include <string.h>

#include "base/memory.h"
#include "cli/complete.h"
#include "cli/config_file.h"
#include "cli/global_options.h"
#include "cli/invoke.h"
#include "cli/plugin.h"

static int unknown_command(const char *parent, const char *word)
{
    if (parent)
        fprintf(stderr, "wherry: unknown command: wherry %s %s\n\nUsage:  wherry %s\n\n", parent, word, parent);
    else
        fprintf(stderr, "wherry: unknown command: wherry %s\n\n", word);
    fprintf(stderr, "Run 'wherry%s%s --help' for more information\n", parent ? " " : "", string_or_empty(parent));
    return EXIT_CODE_FAILURE;
}

static bool check_global_values(const struct global_values *values, struct error *err)
{
    static const char *const levels[] = {"panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"};
    bool is_level = !values->log_level;
    for (size_t i = 0; !is_level && i < ARRAY_SIZE(levels); i++)
        is_level = string_equal(values->log_level, levels[i]);
    if (!is_level)
        return error_set(err, ERROR_INVALID, "Unable to parse logging level: %s", values->log_level);
    if (values->hosts.count > 1)
        return error_set(err, ERROR_INVALID,
                         "Failed to initialize: unable to resolve docker endpoint: specify only one -H");
    if (string_is_set(values->context) && values->hosts.count > 0)
        return error_set(err, ERROR_INVALID, "conflicting options: cannot specify both --host and --context");
    return true;
}

/* A plugin of that name takes our place, with all our arguments. Returns where there is none that can be used. */
static void try_plugin(const char *directory, const char *name, int argc, char **argv)
{
    _cleanup_free_ char *path = cli_plugin_find(directory, name);
    if (!path)
        return;
    _cleanup_cli_plugin_ struct cli_plugin plugin = {0};
    cli_plugin_ask(name, path, &plugin);
    if (!plugin.problem)
        exit(cli_plugin_run(path, argc - 1, argv + 1, name));
}

/* config.json can give "builder", and nothing else, another meaning: a plugin. The words of that name are replaced. */
static bool apply_aliases(const char *directory, int count, char **words, int argc, char **argv, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(config_file_of(directory), "aliases"), key, value)
    {
        char *target = (char *)(uintptr_t)json_string_value(value);
        if (!string_equal(key, "builder"))
            return error_set(err, ERROR_INVALID,
                             "not allowed to alias \"%s\" (allowed: map[string]struct {}{\"builder\":struct {}{}})",
                             key);
        if (command_find(target))
            return error_set(err, ERROR_INVALID, "not allowed to alias with builtin \"%s\" as target", target);
        if (count == 0 || !string_equal(words[0], key))
            continue;
        string_replace(&words[0], target);
        for (int i = 1; i < argc; i++) {
            if (string_equal(argv[i], key)) {
                argv[i] = target;
                break;
            }
        }
    }
    return true;
}

/* `words` begin with the command's name. */
static int dispatch(const struct global_values *values, const char *directory, int count, char **words, int argc,
                    char **argv)
{
    _cleanup_free_ char *path = xstrdup(words[0]);
    bool asks_help = string_equal(words[0], "help");
    if (asks_help) {
        if (count == 1) {
            help_print_top(directory);
            return 0;
        }
        count--;
        words++;
        string_replace(&path, words[0]);
    }
    const struct command *command = command_find(path);
    _cleanup_free_ char *own = command ? NULL : cli_plugin_own(path);
    if (own)
        return cli_plugin_run(own, argc - 1, argv + 1, path);
    if (!command)
        try_plugin(directory, path, argc, argv);
    if (!command && asks_help) {
        fprintf(stderr, "unknown help topic: %s\n", path);
        return EXIT_CODE_FAILURE;
    }
    if (!command)
        return unknown_command(NULL, words[0]);
    while (!command->run) {
        count--;
        words++;
        bool wants_help = count == 0 || string_equal(words[0], "--help") || string_equal(words[0], "-h");
        if (wants_help) {
            help_print(command, path);
            return 0;
        }
        if (words[0][0] == '-') {
            fprintf(stderr,
                    "unknown %s: %s\n\nUsage:  wherry %s\n\nRun 'wherry %s --help' for more "
                    "information\n",
                    words[0][1] == '-' ? "flag" : "shorthand flag", words[0], path, path);
            return EXIT_CODE_USAGE;
        }
        _cleanup_free_ char *longer = xasprintf("%s %s", path, words[0]);
        command = command_find(longer);
        if (!command)
            return unknown_command(path, words[0]);
        string_replace(&path, longer);
    }
    if (asks_help) {
        help_print(command, command_canonical_path(command, path));
        return 0;
    }
    struct invocation invocation = {
        .command = command,
        .path = path,
        .globals = values,
        .config_directory = directory,
    };
    return command_invoke(&invocation, count - 1, words + 1);
}

int main(int argc, char **argv)
{
    struct global_values values = {0};
    struct option_parse parse = {.stops_at_first_argument = true};
    struct error err = ERROR_INIT;
    int status = 0;
    if (argc > 1 && (string_equal(argv[1], "__complete") || string_equal(argv[1], "__completeNoDesc")))
        return complete_words(argc - 2, argv + 2, string_equal(argv[1], "__complete"));
    bool is_parsed = options_parse(&global_options, argc - 1, argv + 1, &values, &parse, &err);
    values.has_tls = option_is_given(&parse, "tls");
    values.has_tls_verify = option_is_given(&parse, "tlsverify");
    _cleanup_free_ char *directory = values.config ? xstrdup(values.config) : config_directory_default();
    if (!is_parsed) {
        status = err.kind == ERROR_UNSUPPORTED ? EXIT_CODE_FAILURE : EXIT_CODE_USAGE;
        command_print_error(&err);
        if (status == EXIT_CODE_USAGE)
            fprintf(stderr,
                    "\nUsage:  wherry [OPTIONS] COMMAND [ARG...]\n\nRun 'wherry --help' for more information\n");
    } else if (parse.wants_help || (parse.arguments.count == 0 && !values.wants_version)) {
        help_print_top(directory);
    } else if (!check_global_values(&values, &err)) {
        command_print_error(&err);
        status = EXIT_CODE_FAILURE;
    } else if (!apply_aliases(directory, (int)parse.arguments.count, parse.arguments.items, argc, argv, &err)) {
        command_print_error(&err);
        status = EXIT_CODE_FAILURE;
    } else if (values.wants_version) {
        printf("Wherry version " WHERRY_VERSION "\n");
    } else {
        status = dispatch(&values, directory, (int)parse.arguments.count, parse.arguments.items, argc, argv);
    }
    options_release(&global_options, &values);
    option_parse_release(&parse);
    if (fflush(stdout) != 0 && status == 0)
        status = EXIT_CODE_FAILURE;
    return status;
}
