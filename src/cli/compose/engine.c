#include "cli/compose/engine.h"

#include <string.h>

#include "base/memory.h"
#include "cli/endpoint.h"
#include "cli/registry_auth.h"

static struct client *connect_worker(void *context, struct error *err)
{
    const struct command_call *call = context;
    return endpoint_client(call->globals, call->config_directory, err);
}

bool compose_authenticate(const void *call, const char *domain, struct strmap *headers, struct error *err)
{
    return registry_headers(call, domain, headers, err);
}

struct workers compose_workers(const struct command_call *call)
{
    int64_t limit = compose_flags_of(call)->parallel;
    const char *variable = getenv("COMPOSE_PARALLEL_LIMIT");
    if (limit < 0 && variable)
        limit = strtoll(variable, NULL, 10);
    return (struct workers){connect_worker, (void *)(uintptr_t)call, limit > 0 ? (size_t)MIN(limit, 64) : 0};
}

void compose_view_release(struct compose_view *view)
{
    project_release(&view->project);
    compose_state_release(&view->state);
}

static bool is_known(const struct compose_view *view, const char *service)
{
    for (size_t i = 0; i < view->state.count; i++)
        if (string_equal(view->state.containers[i].service, service))
            return true;
    return json_object_get(json_object_get(view->project.model, "services"), service) ||
           element_get(view->project.disabled, service);
}

bool compose_view_read(const struct command_call *call, char *const *services, size_t count, bool with_oneoffs,
                       struct compose_view *out, struct error *err)
{
    if (!compose_load_or_name(call, &out->project, err) ||
        !compose_state_read(call->client, out->project.name, with_oneoffs, &out->state, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_known(out, services[i]))
            return error_set(err, ERROR_NOT_FOUND, "no such service: %s", services[i]);
    struct compose_state kept = {0}, rest = {0};
    for (size_t i = 0; i < out->state.count; i++) {
        bool is_named = count == 0;
        for (size_t j = 0; j < count; j++)
            is_named = is_named || string_equal(services[j], out->state.containers[i].service);
        struct compose_state *to = is_named ? &kept : &rest;
        *APPEND(to->containers, to->count) = out->state.containers[i];
    }
    free(out->state.containers);
    out->state = kept;
    compose_state_release(&rest);
    return true;
}

const struct compose_container *compose_view_container(const struct compose_view *view, const char *service,
                                                       int64_t index, bool must_run, struct error *err)
{
    const struct compose_container *first = NULL;
    for (size_t i = 0; i < view->state.count; i++) {
        const struct compose_container *one = &view->state.containers[i];
        if (!string_equal(one->service, service) || one->is_oneoff || (index > 0 && one->number != index))
            continue;
        if (container_is_running(one))
            return one;
        first = first ? first : one;
    }
    if (first && !must_run)
        return first;
    if (index > 0)
        error_set(err, ERROR_NOT_FOUND, "service \"%s\" is not running container #%lld", service, (long long)index);
    else
        error_set(err, ERROR_NOT_FOUND, "service \"%s\" is not running", service);
    return NULL;
}

bool compose_verb(struct command_call *call, enum container_verb verb, int64_t timeout, const char *signal,
                  const char *title, struct error *err)
{
    _cleanup_compose_view_ struct compose_view view = {0};
    _cleanup_report_ struct report report;
    report_begin(&report, call, title);
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    struct workers workers = compose_workers(call);
    struct up_options options = {0};
    struct reconciler reconciler = RECONCILER_INIT(&view.project, &options, &workers, &report.reporter);
    for (size_t i = 0; i < view.state.count;) {
        struct compose_container *one = &view.state.containers[i];
        bool is_running = container_is_running(one), is_paused = string_equal(one->state, "paused");
        bool is_wanted = verb == VERB_STOP || verb == VERB_RESTART || verb == VERB_REMOVE || verb == VERB_STOP_REMOVE
                             ? true
                         : verb == VERB_UNPAUSE ? is_paused
                                                : is_running || (is_paused && verb == VERB_KILL);
        if (is_wanted) {
            i++;
            continue;
        }
        struct compose_state rest = {.containers = xmemdup(one, sizeof(*one)), .count = 1};
        memmove(one, one + 1, (view.state.count - i - 1) * sizeof(*one));
        view.state.count--;
        compose_state_release(&rest);
    }
    reconciler.state = view.state;
    return containers_each(&reconciler, verb, timeout, signal, false, err);
}

bool compose_scale_parse(const struct strlist *given, struct strmap *out, struct error *err)
{
    for (size_t i = 0; i < given->count; i++) {
        const char *equals = strchr(given->items[i], '=');
        int64_t count;
        if (!equals || equals == given->items[i])
            return error_set(err, ERROR_INVALID, "invalid --scale option \"%s\". Should be SERVICE=NUM",
                             given->items[i]);
        if (!parse_int64(equals + 1, &count) || count < 0 || count > 10000)
            return error_set(err, ERROR_INVALID, "invalid --scale option \"%s\": \"%s\" is no count of containers",
                             given->items[i], equals + 1);
        _cleanup_free_ char *name = xstrndup(given->items[i], (size_t)(equals - given->items[i]));
        strmap_set(out, name, equals + 1);
    }
    return true;
}
