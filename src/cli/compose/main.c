/* wherry-compose: `wherry compose …`, and docker's plugin for `docker compose …` where it is installed as
   cli-plugins/docker-compose. A program of its own, so that no other command loads a YAML library. */
#include <signal.h>
#include <string.h>

#include "base/memory.h"
#include "cli/complete.h"
#include "cli/compose/flags.h"
#include "cli/invoke.h"

/* What docker asks of a plugin before it uses it. */
static int print_metadata(void)
{
    printf("{\"SchemaVersion\":\"0.1.0\",\"Vendor\":\"Wherry\",\"Version\":\"v" WHERRY_VERSION
           "\",\"ShortDescription\":\"Define and run multi-container applications\"}\n");
    return 0;
}

static void print_help(const struct command *command)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    help_print(command, "compose");
    options_help(&compose_options, 79, &text);
    printf("\nOptions:\n%s", strbuf_text(&text));
}

/* `words` are those after "compose" and its flags. */
static int dispatch(const struct compose_globals *globals, const char *directory, int count, char **words)
{
    _cleanup_free_ char *path = xasprintf("compose %s", words[0]);
    const struct command *command = command_find(path);
    if (!command) {
        fprintf(stderr, "unknown docker command: \"compose %s\"\n", words[0]);
        return EXIT_CODE_FAILURE;
    }
    struct invocation invocation = {
        .command = command,
        .path = path,
        .globals = &globals->base,
        .config_directory = directory,
    };
    return command_invoke(&invocation, count - 1, words + 1);
}

static int run_compose(struct compose_globals *globals, int argc, char **argv)
{
    _cleanup_option_parse_ struct option_parse parse = {.stops_at_first_argument = true};
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_free_ char *directory = globals->base.config ? xstrdup(globals->base.config) : config_directory_default();
    if (!options_parse(&compose_options, argc, argv, &globals->flags, &parse, &err)) {
        int status = err.kind == ERROR_UNSUPPORTED ? EXIT_CODE_FAILURE : EXIT_CODE_USAGE;
        command_print_error(&err);
        return status;
    }
    bool asks_help = parse.arguments.count > 0 && string_equal(parse.arguments.items[0], "help");
    if (asks_help && parse.arguments.count > 1) {
        _cleanup_free_ char *path = xasprintf("compose %s", parse.arguments.items[1]);
        const struct command *command = command_find(path);
        if (command)
            help_print(command, path);
        return command ? 0 : EXIT_CODE_FAILURE;
    }
    if (parse.wants_help || asks_help || parse.arguments.count == 0) {
        print_help(command_find("compose"));
        return 0;
    }
    return dispatch(globals, directory, (int)parse.arguments.count, parse.arguments.items);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && string_equal(argv[1], "docker-cli-plugin-metadata"))
        return print_metadata();
    if (argc > 2 && (string_equal(argv[1], "__complete") || string_equal(argv[1], "__completeNoDesc")))
        return complete_words(argc - 2, argv + 2, string_equal(argv[1], "__complete"));
    if (argc > 1 && string_equal(argv[1], "__man")) {
        struct global_values none = {0};
        struct invocation invocation = {
            .command = command_find(argv[1]), .path = argv[1], .globals = &none, .config_directory = ""};
        return command_invoke(&invocation, argc - 2, argv + 2);
    }
    /* As a plugin we get docker's own flags and "compose" first; as a program of our own, neither. */
    struct compose_globals globals = {.flags = {.parallel = -1}};
    struct option_parse parse = {.stops_at_first_argument = true};
    bool is_plugin = options_parse(&global_options, argc - 1, argv + 1, &globals.base, &parse, NULL) &&
                     parse.arguments.count > 0 && string_equal(parse.arguments.items[0], "compose");
    globals.base.has_tls = option_is_given(&parse, "tls");
    globals.base.has_tls_verify = option_is_given(&parse, "tlsverify");
    int status;
    if (is_plugin) {
        status = run_compose(&globals, (int)parse.arguments.count - 1, parse.arguments.items + 1);
    } else {
        options_release(&global_options, &globals.base);
        globals.base = (struct global_values){0};
        status = run_compose(&globals, argc - 1, argv + 1);
    }
    options_release(&compose_options, &globals.flags);
    options_release(&global_options, &globals.base);
    option_parse_release(&parse);
    if (fflush(stdout) != 0 && status == 0)
        status = EXIT_CODE_FAILURE;
    return status;
}
