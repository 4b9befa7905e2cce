/* `wherry __commands`: the tables as text, for tests/cli/check, which compares them with docker's (the form is told in
   tests/cli/learn-commands). */
#include "cli/command.h"
#include "cli/global_options.h"

static void print_escaped(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", stdout);
        else
            putchar(*text);
    }
    putchar('\n');
}

static void print_options(const struct option_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        option_help_text(option, &text);
        if (option->short_name)
            printf("-%c, ", option->short_name);
        printf("--%s | %s | ", option->name, string_or_empty(option->value_name));
        print_escaped(strbuf_text(&text));
    }
}

static bool commands_dump_run(struct command_call *call, struct error *err)
{
    printf("*\nusage [OPTIONS] COMMAND\nhelp A self-sufficient runtime for containers\n");
    print_options(global_options_with_defaults());
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = commands[i];
        if (command->is_hidden)
            continue;
        putchar('\n');
        for (const char *const *path = command->paths; *path; path++)
            printf("%s%s", path == command->paths ? "" : "|", *path);
        printf("\nusage ");
        print_escaped(command->run ? string_or_empty(command->usage) : "COMMAND");
        printf("help ");
        print_escaped(command->help);
        if (command->long_help) {
            printf("long ");
            print_escaped(command->long_help);
        }
        print_options(&command->options);
    }
    return true;
}

const struct command commands_dump_command = {
    .paths = {"__commands"},
    .usage = "",
    .help = "Print the tables of commands and flags",
    .is_hidden = true,
    .is_local = true,
    .run = commands_dump_run,
};
