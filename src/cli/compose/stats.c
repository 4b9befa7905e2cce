#include "cli/compose/delegate.h"

struct stats_values {
    bool is_all, has_no_stream, is_whole;
    char *format;
};

static bool stats_run(struct command_call *call, struct error *err)
{
    const struct stats_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    _cleanup_strlist_ struct strlist words = {0};
    if (values->has_no_stream)
        strlist_add(&words, "--no-stream");
    if (values->is_whole)
        strlist_add(&words, "--no-trunc");
    words_add_option(&words, "--format", values->format);
    size_t count = 0;
    for (size_t i = 0; i < view.state.count; i++) {
        if (!values->is_all && !container_is_running(&view.state.containers[i]))
            continue;
        strlist_add(&words, view.state.containers[i].id);
        count++;
    }
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no container to show: nothing of the project runs");
    return compose_delegate(call, &stats_command, "compose stats", &words);
}

#define AT(member) offsetof(struct stats_values, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(is_all), .help = "Show all containers (default shows just running)"},
    {"format", 0, OPTION_STRING, AT(format), "string", "Format output using a custom template"},
    {"no-stream", 0, OPTION_BOOL, AT(has_no_stream), .help = "Disable streaming stats and only pull the first result"},
    {"no-trunc", 0, OPTION_BOOL, AT(is_whole), .help = "Do not truncate output"},
};

extern const struct command compose_stats_command;
const struct command compose_stats_command = {
    .paths = {"compose stats"},
    .usage = "[OPTIONS] [SERVICE]",
    .help = "Display a live stream of container(s) resource usage statistics",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct stats_values),
    .max_arguments = 1,
    .run = stats_run,
};
