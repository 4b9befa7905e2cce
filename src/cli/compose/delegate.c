#include "cli/compose/delegate.h"

#include "base/memory.h"
#include "cli/invoke.h"

bool compose_delegate(struct command_call *call, const struct command *command, const char *path,
                      const struct strlist *words)
{
    struct invocation invocation = {
        .command = command, .path = path, .globals = call->globals, .config_directory = call->config_directory};
    call->exit_code = command_invoke(&invocation, (int)words->count, words->items);
    return true;
}

void words_add_option(struct strlist *words, const char *name, const char *value)
{
    if (value) {
        strlist_add(words, name);
        strlist_add(words, value);
    }
}

void words_add_options(struct strlist *words, const char *name, const struct strlist *values)
{
    for (size_t i = 0; i < values->count; i++)
        words_add_option(words, name, values->items[i]);
}
