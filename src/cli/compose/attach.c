#include "base/memory.h"
#include "cli/compose/delegate.h"

struct attach_values {
    char *keys;
    int64_t index;
    bool has_no_stdin, forwards_signals;
};

static void set_defaults(void *values)
{
    ((struct attach_values *)values)->forwards_signals = true;
}

static bool attach_run(struct command_call *call, struct error *err)
{
    const struct attach_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, 1, false, &view, err))
        return false;
    const struct compose_container *container =
        compose_view_container(&view, call->arguments[0], values->index, true, err);
    if (!container)
        return false;
    _cleanup_strlist_ struct strlist words = {0};
    words_add_option(&words, "--detach-keys", values->keys);
    if (values->has_no_stdin)
        strlist_add(&words, "--no-stdin");
    strlist_add(&words, values->forwards_signals ? "--sig-proxy=true" : "--sig-proxy=false");
    strlist_add(&words, container->id);
    return compose_delegate(call, &attach_command, "compose attach", &words);
}

#define AT(member) offsetof(struct attach_values, member)
static const struct option rows[] = {
    {"detach-keys", 0, OPTION_STRING, AT(keys), "string", "Override the key sequence for detaching from a container."},
    {"index", 0, OPTION_INT64, AT(index), "int", "index of the container if service has multiple replicas."},
    {"no-stdin", 0, OPTION_BOOL, AT(has_no_stdin), .help = "Do not attach STDIN"},
    {"sig-proxy", 0, OPTION_BOOL, AT(forwards_signals), .help = "Proxy all received signals to the process",
     .default_text = "true"},
};

extern const struct command compose_attach_command;
const struct command compose_attach_command = {
    .paths = {"compose attach"},
    .usage = "[OPTIONS] SERVICE",
    .help = "Attach local standard input, output, and error streams to a service's running container",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct attach_values),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = attach_run,
};
