#include <poll.h>

#include "base/memory.h"
#include "cli/compose/engine.h"
#include "cli/endpoint.h"
#include "json/json_record.h"

struct wait_values {
    bool ends_project;
};

struct waiting {
    struct client *client;
    struct client_stream *stream;
    const struct compose_container *container;
};

/* The first whose answer comes. Its body may lie in the connection's buffer only where it has ended before, and so the
   containers that do not run any more are looked at first. */
static bool await_first(struct waiting *all, size_t count, const struct compose_container **ended, int64_t *code,
                        struct error *err)
{
    _cleanup_free_ struct pollfd *fds = xcalloc(count, sizeof(*fds));
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = client_stream_fd(all[i].stream), .events = POLLIN};
    size_t first = count;
    for (size_t i = 0; i < count && first == count; i++)
        if (!container_is_running(all[i].container))
            first = i;
    if (first == count && poll(fds, count, -1) < 0)
        return error_errno(err, "poll");
    for (size_t i = 0; i < count && first == count; i++)
        if (fds[i].revents)
            first = i;
    _cleanup_json_ json_t *answer = client_stream_json(all[first].stream, err);
    *ended = all[first].container;
    *code = json_integer_value(json_object_get(answer, "StatusCode"));
    return answer;
}

static bool wait_run(struct command_call *call, struct error *err)
{
    const struct wait_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    if (view.state.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no containers for project \"%s\"", view.project.name);
    struct waiting *all = xcalloc(view.state.count, sizeof(*all));
    bool is_good = true;
    size_t count = 0;
    for (; is_good && count < view.state.count; count++) {
        all[count].container = &view.state.containers[count];
        all[count].client = endpoint_client(call->globals, call->config_directory, err);
        _cleanup_free_ char *path = client_path("containers", all[count].container->id, "/wait");
        struct client_request request = {.method = "POST", .path = path};
        all[count].stream = all[count].client ? client_stream_open(all[count].client, &request, err) : NULL;
        is_good = all[count].stream;
    }
    const struct compose_container *ended = NULL;
    int64_t code = 0;
    is_good = is_good && await_first(all, count, &ended, &code, err);
    if (is_good)
        printf("container \"%s\" exited with status code %lld\n", ended->name, (long long)code);
    for (size_t i = 0; i < count; i++) {
        client_stream_free(all[i].stream);
        client_free(all[i].client);
    }
    free(all);
    if (!is_good)
        return false;
    call->exit_code = (int)code;
    if (!values->ends_project)
        return true;
    struct down_options options = {.timeout = -1};
    struct up_options unused = {0};
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Running");
    struct workers workers = compose_workers(call);
    _cleanup_reconciler_ struct reconciler reconciler =
        RECONCILER_INIT(&view.project, &unused, &workers, &report.reporter);
    return project_down(&reconciler, &options, NULL, 0, err);
}

static const struct option rows[] = {
    {"down-project", 0, OPTION_BOOL, offsetof(struct wait_values, ends_project),
     .help = "Drops project when the first container stops"},
};

extern const struct command compose_wait_command;
const struct command compose_wait_command = {
    .paths = {"compose wait"},
    .usage = "SERVICE [SERVICE...] [OPTIONS]",
    .help = "Block until the first service container stops",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct wait_values),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = wait_run,
};
