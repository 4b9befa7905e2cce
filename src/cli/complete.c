#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/complete_values.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"
#include "cli/plugin.h"

struct completion {
    struct global_values globals;
    char *directory;
    const struct command *command; /* NULL: still at the top, or below a group */
    struct strbuf path;            /* "container" */
    size_t argument_count;         /* of the command, before the word */
    const struct option *pending;  /* the flag whose value the word is */
    struct strlist used;           /* flags that were given */
    bool is_lost;                  /* no such command */
    bool has_descriptions;
    struct strbuf out;
};

static void add(struct completion *completion, const char *word, const char *to_complete, const char *help)
{
    if (!string_starts_with(word, to_complete))
        return;
    strbuf_add_string(&completion->out, word);
    if (completion->has_descriptions && string_is_set(help)) {
        strbuf_addf(&completion->out, "\t%.*s", (int)strcspn(help, "\n"), help);
    }
    strbuf_add_char(&completion->out, '\n');
}

static const struct option *find_flag(const struct option_table *table, const char *word)
{
    if (word[1] == '-')
        return option_find(table, word + 2, strcspn(word + 2, "="));
    for (size_t i = 0; i < table->count; i++) {
        /* of a group of letters the last one may want a value */
        if (table->options[i].short_name && table->options[i].short_name == word[strlen(word) - 1])
            return &table->options[i];
    }
    return NULL;
}

/* The global flags that decide which engine is asked. */
static void take_global(struct completion *completion, const struct option *option, const char *value)
{
    if (string_equal(option->name, "host"))
        strlist_add(&completion->globals.hosts, value);
    else if (string_equal(option->name, "context"))
        string_replace(&completion->globals.context, value);
    else if (string_equal(option->name, "config"))
        string_replace(&completion->globals.config, value);
}

static bool is_group(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < command_count; i++) {
        for (const char *const *name = commands[i]->paths; *name; name++) {
            if (length == 0 || (strncmp(*name, path, length) == 0 && (*name)[length] == ' '))
                return true;
        }
    }
    return false;
}

static void take_word(struct completion *completion, const char *word)
{
    if (completion->pending) {
        if (!completion->command)
            take_global(completion, completion->pending, word);
        completion->pending = NULL;
        return;
    }
    if (word[0] == '-' && word[1] && completion->argument_count == 0) {
        const struct option_table *table = completion->command ? &completion->command->options : &global_options;
        const struct option *option = find_flag(table, word);
        if (!option)
            return;
        strlist_add(&completion->used, option->name);
        const char *equals = strchr(word, '=');
        if (option->value_name && !equals)
            completion->pending = option;
        else if (equals && !completion->command)
            take_global(completion, option, equals + 1);
        return;
    }
    if (completion->command) {
        completion->argument_count++;
        return;
    }
    strbuf_addf(&completion->path, "%s%s", completion->path.length ? " " : "", word);
    const struct command *command = command_find(strbuf_text(&completion->path));
    if (command && command->run)
        completion->command = command;
    else if (!command && !is_group(strbuf_text(&completion->path)))
        completion->is_lost = true;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int list_commands(struct completion *completion, const char *to_complete)
{
    const char *parent = strbuf_text(&completion->path);
    size_t length = strlen(parent), count = 0;
    _cleanup_free_ const char **lines = xcalloc(command_count + 1, sizeof(*lines));
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->is_hidden)
            continue;
        for (const char *const *name = commands[i]->paths; *name; name++) {
            const char *word = length ? *name + length + 1 : *name;
            bool is_here = length == 0 || (strncmp(*name, parent, length) == 0 && (*name)[length] == ' ');
            if (!is_here || strchr(word, ' '))
                continue;
            lines[count++] = *name;
            break;
        }
    }
    _cleanup_free_ char *compose = length == 0 && !command_find("compose") ? cli_plugin_own("compose") : NULL;
    if (compose)
        add(completion, "compose", to_complete, "Define and run multi-container applications");
    qsort(lines, count, sizeof(*lines), compare_texts);
    for (size_t i = 0; i < count; i++)
        add(completion, length ? lines[i] + length + 1 : lines[i], to_complete, command_find(lines[i])->help);
    return COMPLETE_NO_FILES;
}

static int compare_options(const void *left, const void *right)
{
    return strcmp((*(const struct option *const *)left)->name, (*(const struct option *const *)right)->name);
}

static int list_flags(struct completion *completion, const char *to_complete)
{
    const struct option_table *table = completion->command ? &completion->command->options : &global_options;
    _cleanup_free_ const struct option **sorted = xcalloc(table->count + 1, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        bool may_repeat = option->kind == OPTION_LIST || option->kind == OPTION_CUSTOM;
        if (!option->is_hidden && (may_repeat || !strlist_contains(&completion->used, option->name)))
            sorted[count++] = option;
    }
    qsort(sorted, count, sizeof(*sorted), compare_options);
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *name = xasprintf("--%s", sorted[i]->name);
        add(completion, name, to_complete, sorted[i]->help);
        char letter[] = {'-', sorted[i]->short_name, '\0'};
        if (sorted[i]->short_name)
            add(completion, letter, to_complete, sorted[i]->help);
    }
    return COMPLETE_NO_FILES;
}

static int list_values(struct completion *completion, const struct option *flag, const char *to_complete)
{
    _cleanup_strlist_ struct strlist values = {0};
    struct complete_request request = {.globals = &completion->globals,
                                       .directory = completion->directory,
                                       .command = completion->command,
                                       .argument_count = completion->argument_count};
    int directive = flag ? complete_flag_values(&request, flag->name, &values) : complete_arguments(&request, &values);
    for (size_t i = 0; i < values.count; i++)
        add(completion, values.items[i], to_complete, NULL);
    return directive;
}

static int complete(struct completion *completion, const char *to_complete)
{
    if (completion->is_lost)
        return COMPLETE_DEFAULT;
    if (completion->pending)
        return list_values(completion, completion->pending, to_complete);
    bool may_be_flag = to_complete[0] == '-' && completion->argument_count == 0;
    const char *equals = strchr(to_complete, '=');
    if (may_be_flag && equals) {
        const struct option_table *table = completion->command ? &completion->command->options : &global_options;
        const struct option *option = find_flag(table, to_complete);
        return option ? list_values(completion, option, equals + 1) : COMPLETE_DEFAULT;
    }
    if (may_be_flag)
        return list_flags(completion, to_complete);
    return completion->command ? list_values(completion, NULL, to_complete) : list_commands(completion, to_complete);
}

/* The words of `wherry compose` are completed by its own program. */
static void complete_compose(int argc, char **argv, bool has_descriptions)
{
    _cleanup_free_ char *own = argc > 1 && !command_find(argv[0]) ? cli_plugin_own(argv[0]) : NULL;
    _cleanup_strlist_ struct strlist words = {0};
    if (!own)
        return;
    strlist_add(&words, own);
    strlist_add(&words, has_descriptions ? "__complete" : "__completeNoDesc");
    for (int i = 0; i < argc; i++)
        strlist_add(&words, argv[i]);
    execv(own, words.items);
}

int complete_words(int argc, char **argv, bool has_descriptions)
{
    complete_compose(argc, argv, has_descriptions);
    struct completion completion = {.has_descriptions = has_descriptions};
    for (int i = 0; i + 1 < argc; i++)
        take_word(&completion, argv[i]);
    completion.directory = completion.globals.config ? xstrdup(completion.globals.config) : config_directory_default();
    int directive = complete(&completion, argc > 0 ? argv[argc - 1] : "");
    printf("%s:%d\n", strbuf_text(&completion.out), directive);
    fflush(stdout);
    fprintf(stderr, "Completion ended with directive: %s\n",
            directive == COMPLETE_NO_FILES   ? "ShellCompDirectiveNoFileComp"
            : directive == COMPLETE_NO_SPACE ? "ShellCompDirectiveNoSpace"
            : directive == COMPLETE_FOLDERS  ? "ShellCompDirectiveFilterDirs"
                                             : "ShellCompDirectiveDefault");
    options_release(&global_options, &completion.globals);
    free(completion.directory);
    strbuf_release(&completion.path);
    strbuf_release(&completion.out);
    strlist_release(&completion.used);
    return 0;
}
