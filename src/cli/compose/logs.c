#include "base/clock.h"
#include "base/memory.h"
#include "cli/compose/log_mux.h"
#include "cli/time_option.h"
#include "json/json_record.h"

struct logs_values {
    bool follows, has_no_colour, has_no_prefix, has_timestamps;
    int64_t index;
    char *since, *until, *tail;
};

static bool logs_run(struct command_call *call, struct error *err)
{
    const struct logs_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    _cleanup_free_ char *since = NULL, *until = NULL;
    if (values->since && !(since = time_option_parse(values->since, clock_now(), err)))
        return false;
    if (values->until && !(until = time_option_parse(values->until, clock_now(), err)))
        return false;
    if (!compose_view_read(call, call->arguments, call->argument_count, true, &view, err))
        return false;
    struct log_options options = {.follows = values->follows,
                                  .has_timestamps = values->has_timestamps,
                                  .has_no_colour = values->has_no_colour,
                                  .has_no_prefix = values->has_no_prefix,
                                  .tail = values->tail ? values->tail : "all",
                                  .since = since,
                                  .until = until};
    _cleanup_log_mux_ struct log_mux mux;
    if (!log_mux_begin(&mux, call, &options, err))
        return false;
    for (size_t i = 0; i < view.state.count; i++)
        if (values->index == 0 || view.state.containers[i].number == values->index)
            log_mux_add(&mux, &view.state.containers[i], view.project.name);
    if (!log_mux_start(&mux, err))
        return false;
    while (log_mux_open_count(&mux) > 0) {
        struct log_source *ended;
        if (!log_mux_wait(&mux, -1, &ended, err))
            return false;
        if (!ended || !values->follows)
            continue;
        /* One that comes up again goes on. */
        _cleanup_free_ char *path = client_path("containers", ended->id, "/json");
        _cleanup_json_ json_t *container = client_get_json(call->client, path, NULL);
        const json_t *state = json_object_get(container, "State");
        if (json_is_true(json_object_get(state, "Running")) && !log_mux_reopen(&mux, ended, err))
            return false;
    }
    return true;
}

#define AT(member) offsetof(struct logs_values, member)
static const struct option rows[] = {
    {"follow", 'f', OPTION_BOOL, AT(follows), .help = "Follow log output"},
    {"index", 0, OPTION_INT64, AT(index), "int", "index of the container if service has multiple replicas"},
    {"no-color", 0, OPTION_BOOL, AT(has_no_colour), .help = "Produce monochrome output"},
    {"no-log-prefix", 0, OPTION_BOOL, AT(has_no_prefix), .help = "Don't print prefix in logs"},
    {"since", 0, OPTION_STRING, AT(since), "string",
     "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"},
    {"tail", 'n', OPTION_STRING, AT(tail), "string",
     "Number of lines to show from the end of the logs for each container", "all"},
    {"timestamps", 't', OPTION_BOOL, AT(has_timestamps), .help = "Show timestamps"},
    {"until", 0, OPTION_STRING, AT(until), "string",
     "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"},
};

extern const struct command compose_logs_command;
const struct command compose_logs_command = {
    .paths = {"compose logs"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "View output from containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct logs_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = logs_run,
};
