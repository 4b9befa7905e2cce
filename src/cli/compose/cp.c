#include <string.h>

#include "base/memory.h"
#include "cli/compose/delegate.h"

struct cp_values {
    bool is_archive, follows_links;
    int64_t index;
};

/* "web:/etc" to "<id>:/etc"; other words as they are. NULL with err. */
static char *resolved(const struct compose_view *view, const char *word, int64_t index, struct error *err)
{
    const char *colon = strchr(word, ':');
    if (!colon || colon == word || strchr("./", *word))
        return xstrdup(word);
    _cleanup_free_ char *service = xstrndup(word, (size_t)(colon - word));
    const struct compose_container *container = compose_view_container(view, service, index, false, err);
    return container ? xasprintf("%s%s", container->id, colon) : NULL;
}

static bool cp_run(struct command_call *call, struct error *err)
{
    const struct cp_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, NULL, 0, false, &view, err))
        return false;
    _cleanup_strlist_ struct strlist words = {0};
    if (values->is_archive)
        strlist_add(&words, "-a");
    if (values->follows_links)
        strlist_add(&words, "-L");
    for (size_t i = 0; i < 2; i++) {
        char *word = resolved(&view, call->arguments[i], values->index, err);
        if (!word)
            return false;
        strlist_take(&words, word);
    }
    return compose_delegate(call, &cp_command, "compose cp", &words);
}

#define AT(member) offsetof(struct cp_values, member)
static const struct option rows[] = {
    {"archive", 'a', OPTION_BOOL, AT(is_archive), .help = "Archive mode (copy all uid/gid information)"},
    {"follow-link", 'L', OPTION_BOOL, AT(follows_links), .help = "Always follow symbol link in SRC_PATH"},
    {"index", 0, OPTION_INT64, AT(index), "int", "Index of the container if service has multiple replicas"},
};

extern const struct command compose_cp_command;
const struct command compose_cp_command = {
    .paths = {"compose cp"},
    .usage = "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\twherry compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
    .help = "Copy files/folders between a service container and the local filesystem",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct cp_values),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = cp_run,
};
