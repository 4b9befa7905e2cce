#include "cli/registry_program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define PROGRAM "wherry-registry"

/* One option as it was understood, in a form that is understood again. */
static void add_option(struct strlist *argv, const struct option *option, const void *values)
{
    const char *place = (const char *)values + option->offset;
    switch (option->kind) {
    case OPTION_BOOL:
        strlist_addf(argv, "--%s=%s", option->name, *(const bool *)place ? "true" : "false");
        break;
    case OPTION_LIST:
        for (size_t i = 0; i < ((const struct strlist *)place)->count; i++)
            strlist_addf(argv, "--%s=%s", option->name, ((const struct strlist *)place)->items[i]);
        break;
    case OPTION_DURATION:
        strlist_addf(argv, "--%s=%lldns", option->name, (long long)*(const int64_t *)place);
        break;
    case OPTION_BYTES:
        strlist_addf(argv, "--%s=%lld", option->name, (long long)*(const int64_t *)place);
        break;
    default:
        strlist_addf(argv, "--%s=%s", option->name, string_or_empty(*(char *const *)place));
        break;
    }
}

bool registry_program_become(struct command_call *call, const char *verb, struct error *err)
{
    const struct option_table *table = &call->command->options;
    _cleanup_strlist_ struct strlist argv = {0};
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[MAX(length, (ssize_t)0)] = '\0';
    const char *slash = strrchr(self, '/');
    _cleanup_free_ char *beside = xasprintf("%.*s/" PROGRAM, (int)(slash ? slash - self : 0), self);
    strlist_add(&argv, PROGRAM);
    strlist_add(&argv, verb);
    for (size_t i = 0; i < table->count; i++)
        if (option_is_given(call->parse, table->options[i].name))
            add_option(&argv, &table->options[i], call->values);
    fflush(stdout);
    execv(beside, argv.items);
    if (errno == ENOENT)
        execvp(PROGRAM, argv.items);
    return error_errno(err, "cannot run " PROGRAM);
}
