/* Usage, aliases and help from the table of commands, in docker's layout. */
#include <string.h>
#include <sys/ioctl.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/global_options.h"
#include "cli/plugin.h"

#define NARROWEST_NAME_COLUMN 11

/* "container ls" → "container" (length 9); "ps" → "" */
static size_t parent_length(const char *path)
{
    const char *space = strrchr(path, ' ');
    return space ? (size_t)(space - path) : 0;
}

static bool have_same_parent(const char *a, const char *b)
{
    size_t length = parent_length(a);
    return length == parent_length(b) && memcmp(a, b, length) == 0;
}

static const char *last_word(const char *path)
{
    size_t length = parent_length(path);
    return length ? path + length + 1 : path;
}

const struct command *command_find(const char *path)
{
    for (size_t i = 0; i < command_count; i++) {
        for (const char *const *name = commands[i]->paths; *name; name++) {
            if (string_equal(*name, path))
                return commands[i];
        }
    }
    return NULL;
}

const char *command_canonical_path(const struct command *command, const char *path)
{
    for (const char *const *name = command->paths; *name; name++) {
        if (have_same_parent(*name, path))
            return *name;
    }
    return path;
}

void help_usage_line(const struct command *command, const char *path, struct strbuf *out)
{
    strbuf_addf(out, "Usage:  wherry %s%s%s", path, string_is_set(command->usage) ? " " : "",
                string_or_empty(command->usage));
}

/* docker's width: of the terminal on standard input, less one. */
static size_t help_width(void)
{
    struct winsize size = {0};
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col > 0 ? (size_t)size.ws_col - 1 : 0;
    return 79;
}

struct listing {
    const char *parent; /* "" at the top */
    enum command_group group;
    bool has_group; /* false: of any group */
    bool is_sorted;
    const struct cli_plugin *plugins; /* listed among them, with a star */
    size_t plugin_count;
};

struct line {
    const char *name, *help;
    bool is_plugin;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

/* The lines "  name   help" of the commands below a parent; nothing where there are none. */
static void list_commands(const struct listing *listing, const char *title)
{
    _cleanup_free_ struct line *lines = xcalloc(command_count + listing->plugin_count + 1, sizeof(*lines));
    size_t count = 0, widest = NARROWEST_NAME_COLUMN;
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->is_hidden || (listing->has_group && commands[i]->group != listing->group))
            continue;
        for (const char *const *name = commands[i]->paths; *name; name++) {
            size_t length = parent_length(*name);
            if (length != strlen(listing->parent) || memcmp(*name, listing->parent, length) != 0)
                continue;
            lines[count++] = (struct line){.name = last_word(*name), .help = commands[i]->help};
            widest = MAX(widest, strlen(last_word(*name)));
            break;
        }
    }
    for (size_t i = 0; i < listing->plugin_count; i++) {
        const struct cli_plugin *plugin = &listing->plugins[i];
        if (plugin->problem)
            continue;
        const char *help = json_string_value(json_object_get(plugin->metadata, "ShortDescription"));
        lines[count++] = (struct line){plugin->name, string_or_empty(help), true};
        widest = MAX(widest, strlen(plugin->name) + 1);
    }
    if (count == 0)
        return;
    if (listing->is_sorted)
        qsort(lines, count, sizeof(*lines), compare_lines);
    printf("\n%s:\n", title);
    for (size_t i = 0; i < count; i++)
        printf("  %s%-*s %s\n", lines[i].name, (int)(widest - strlen(lines[i].name)), lines[i].is_plugin ? "*" : "",
               lines[i].help);
}

void help_print(const struct command *command, const char *path)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    help_usage_line(command, path, &text);
    strbuf_addf(&text, "\n\n%s\n", command->long_help ? command->long_help : command->help);
    if (command->paths[1]) {
        strbuf_add_string(&text, "\nAliases:\n  ");
        for (const char *const *name = command->paths; *name; name++)
            strbuf_addf(&text, "%swherry %s", name == command->paths ? "" : ", ", *name);
        strbuf_add_char(&text, '\n');
    }
    if (command->options.count > 0) {
        strbuf_add_string(&text, "\nOptions:\n");
        options_help(&command->options, help_width(), &text);
    }
    fputs(strbuf_text(&text), stdout);
    if (!command->run) {
        list_commands(&(struct listing){.parent = path, .is_sorted = true}, "Commands");
        printf("\nRun 'wherry %s COMMAND --help' for more information on a command.\n", path);
    }
}

static void list_invalid_plugins(const struct cli_plugin *plugins, size_t count)
{
    bool has_title = false;
    for (size_t i = 0; i < count; i++) {
        if (!plugins[i].problem)
            continue;
        if (!has_title)
            printf("\nInvalid Plugins:\n");
        has_title = true;
        printf("  %-*s %s\n", NARROWEST_NAME_COLUMN, plugins[i].name, plugins[i].problem);
    }
}

void help_print_top(const char *directory)
{
    size_t count = 0;
    struct cli_plugin *plugins = cli_plugins_all(directory, &count);
    printf("Usage:  wherry [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n");
    list_commands(&(struct listing){.parent = "", .group = GROUP_COMMON, .has_group = true}, "Common Commands");
    list_commands(&(struct listing){.parent = "",
                                    .group = GROUP_MANAGEMENT,
                                    .has_group = true,
                                    .is_sorted = true,
                                    .plugins = plugins,
                                    .plugin_count = count},
                  "Management Commands");
    list_commands(&(struct listing){.parent = "", .group = GROUP_SWARM, .has_group = true, .is_sorted = true},
                  "Swarm Commands");
    list_commands(&(struct listing){.parent = "", .group = GROUP_OTHER, .has_group = true, .is_sorted = true},
                  "Commands");
    list_invalid_plugins(plugins, count);
    for (size_t i = 0; i < count; i++)
        cli_plugin_release(&plugins[i]);
    free(plugins);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    options_help(global_options_with_defaults(), help_width(), &text);
    printf("\nGlobal Options:\n%s\nRun 'wherry COMMAND --help' for more information on a command.\n",
           strbuf_text(&text));
}
