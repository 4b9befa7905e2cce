/* Ending: containers, dependents first, and then what they used. */
#include <string.h>

#include "base/memory.h"
#include "compose/container_request.h"
#include "compose/reconcile.h"
#include "json/json_record.h"

struct end_job {
    struct reconciler *reconciler;
    const struct compose_container *container;
    enum container_verb verb;
    int64_t timeout;
    const char *signal;
    bool with_volumes;
};

static const struct {
    const char *begins, *ends;
} words[] = {
    [VERB_STOP] = {"Stopping", "Stopped"},        [VERB_KILL] = {"Killing", "Killed"},
    [VERB_RESTART] = {"Restarting", "Started"},   [VERB_PAUSE] = {"Pausing", "Paused"},
    [VERB_UNPAUSE] = {"Unpausing", "Unpaused"},   [VERB_REMOVE] = {"Removing", "Removed"},
    [VERB_STOP_REMOVE] = {"Stopping", "Stopped"},
};

static char *verb_path(const struct end_job *job, enum container_verb verb)
{
    const char *id = job->container->id;
    switch (verb) {
    case VERB_STOP:
    case VERB_STOP_REMOVE:
        return stop_path(id, "stop", job->timeout);
    case VERB_RESTART:
        return stop_path(id, "restart", job->timeout);
    case VERB_KILL:
        return xasprintf("/containers/%s/kill?signal=%s", id, string_is_set(job->signal) ? job->signal : "SIGKILL");
    case VERB_PAUSE:
        return xasprintf("/containers/%s/pause", id);
    case VERB_UNPAUSE:
        return xasprintf("/containers/%s/unpause", id);
    case VERB_REMOVE:
        break;
    }
    return xasprintf("/containers/%s?force=1%s", id, job->with_volumes ? "&v=1" : "");
}

static bool do_verb(const struct end_job *job, struct client *client, enum container_verb verb, struct error *err)
{
    const char *name = job->container->name;
    _cleanup_free_ char *path = verb_path(job, verb);
    struct error cause = ERROR_INIT;
    reconciler_report(job->reconciler, "Container", name, words[verb].begins, false);
    bool is_good = verb == VERB_REMOVE ? client_delete(client, path, &cause) : client_post(client, path, NULL, &cause);
    bool is_gone = !is_good && cause.kind == ERROR_NOT_FOUND;
    reconciler_report(job->reconciler, "Container", name, is_good || is_gone ? words[verb].ends : "Error", true);
    if (is_good || is_gone) {
        error_release(&cause);
        return true;
    }
    return error_move(err, &cause);
}

static bool run_job(void *context, void *subject, struct client *client, struct error *err)
{
    const struct end_job *job = subject;
    if (job->verb != VERB_STOP_REMOVE)
        return do_verb(job, client, job->verb, err);
    return do_verb(job, client, VERB_STOP, err) && do_verb(job, client, VERB_REMOVE, err);
}

/* Whether a container's label says that it depends on a service. */
static bool depends_on(const struct compose_container *container, const char *service)
{
    _cleanup_strlist_ struct strlist all = strlist_split(label_of(container->row, LABEL("depends_on")), ',');
    size_t length = strlen(service);
    for (size_t i = 0; i < all.count; i++)
        if (strncmp(all.items[i], service, length) == 0 && (all.items[i][length] == ':' || !all.items[i][length]))
            return true;
    return false;
}

bool containers_each(struct reconciler *reconciler, enum container_verb verb, int64_t timeout, const char *signal,
                     bool with_volumes, struct error *err)
{
    size_t count = reconciler->state.count;
    bool is_forward = verb == VERB_RESTART || verb == VERB_UNPAUSE;
    _cleanup_free_ struct end_job *jobs = xcalloc(count + 1, sizeof(*jobs));
    _cleanup_task_list_ struct task_list list = {0};
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct end_job){reconciler, &reconciler->state.containers[i], verb, timeout, signal, with_volumes};
        task_add(&list, run_job, &jobs[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (!depends_on(jobs[i].container, jobs[j].container->service))
                continue;
            /* A label may lie: what depends on itself or both ways is not waited for. */
            if (depends_on(jobs[j].container, jobs[i].container->service))
                continue;
            if (is_forward)
                task_after(&list, i, j);
            else
                task_after(&list, j, i);
        }
    }
    return tasks_run(reconciler->workers, &list, reconciler, err);
}

static bool remove_network(struct reconciler *reconciler, struct client *client, const char *name, const char *id,
                           struct error *err)
{
    _cleanup_free_ char *path = client_path("networks", id, "");
    struct error cause = ERROR_INIT;
    reconciler_report(reconciler, "Network", name, "Removing", false);
    if (client_delete(client, path, &cause) || cause.kind == ERROR_NOT_FOUND) {
        reconciler_report(reconciler, "Network", name, "Removed", true);
        error_release(&cause);
        return true;
    }
    /* Others may be on it. */
    if (cause.kind == ERROR_DENIED || cause.kind == ERROR_CONFLICT) {
        reconciler_report(reconciler, "Network", name, "Resource is still in use", true);
        error_release(&cause);
        return true;
    }
    reconciler_report(reconciler, "Network", name, "Error", true);
    return error_move(err, &cause);
}

static bool remove_networks(struct reconciler *reconciler, struct client *client, size_t *removed, struct error *err)
{
    _cleanup_json_ json_t *all = compose_get_labelled(client, "/networks", reconciler->project->name, NULL, err);
    size_t i;
    json_t *network;
    if (!all)
        return false;
    json_array_foreach(all, i, network)
    {
        if (!remove_network(reconciler, client, json_string_value(json_object_get(network, "Name")),
                            json_string_value(json_object_get(network, "Id")), err))
            return false;
        (*removed)++;
    }
    return true;
}

static bool remove_volumes(struct reconciler *reconciler, struct client *client, size_t *removed, struct error *err)
{
    _cleanup_json_ json_t *answer = compose_get_labelled(client, "/volumes", reconciler->project->name, NULL, err);
    size_t i;
    json_t *volume;
    if (!answer)
        return false;
    json_array_foreach(json_object_get(answer, "Volumes"), i, volume)
    {
        const char *name = json_string_value(json_object_get(volume, "Name"));
        _cleanup_free_ char *path = client_path("volumes", name, "");
        struct error cause = ERROR_INIT;
        reconciler_report(reconciler, "Volume", name, "Removing", false);
        bool is_good = client_delete(client, path, &cause) || cause.kind == ERROR_NOT_FOUND;
        bool is_used = !is_good && cause.kind == ERROR_CONFLICT;
        reconciler_report(reconciler, "Volume", name,
                          is_good   ? "Removed"
                          : is_used ? "Resource is still in use"
                                    : "Error",
                          true);
        if (!is_good && !is_used)
            return error_move(err, &cause);
        error_release(&cause);
        (*removed)++;
    }
    return true;
}

/* --rmi: all images that services name, or only those that have no name of their own. */
static bool remove_images(struct reconciler *reconciler, struct client *client, const char *which, struct error *err)
{
    json_t *services = json_object_get(reconciler->project->model, "services"), *service;
    const char *name;
    _cleanup_strlist_ struct strlist done = {0};
    json_object_foreach(services, name, service)
    {
        _cleanup_free_ char *image = service_image(reconciler->project, name, service);
        bool is_named = json_object_get(service, "image") != NULL;
        if ((is_named && string_equal(which, "local")) || strlist_contains(&done, image))
            continue;
        strlist_add(&done, image);
        _cleanup_free_ char *path = client_path("images", image, "");
        struct error cause = ERROR_INIT;
        reconciler_report(reconciler, "Image", image, "Removing", false);
        bool is_good = client_delete(client, path, &cause);
        const char *status = is_good                         ? "Removed"
                             : cause.kind == ERROR_NOT_FOUND ? "Warning: No resource found to remove"
                                                             : "Resource is still in use";
        reconciler_report(reconciler, "Image", image, status, true);
        error_release(&cause);
    }
    return true;
}

bool project_down(struct reconciler *reconciler, const struct down_options *options, char *const *services,
                  size_t count, struct error *err)
{
    _cleanup_(client_freep) struct client *client =
        reconciler->workers->connect(reconciler->workers->connect_context, err);
    const struct project *project = reconciler->project;
    if (!client || !compose_state_read(client, project->name, true, &reconciler->state, err))
        return false;
    const json_t *known = json_object_get(project->model, "services");
    /* Orphans stay, unless there is no file that could tell them from others. */
    for (size_t i = 0; i < reconciler->state.count;) {
        struct compose_container *one = &reconciler->state.containers[i];
        bool is_named = count == 0;
        for (size_t j = 0; j < count; j++)
            is_named = is_named || string_equal(services[j], one->service);
        bool is_orphan =
            project->model && !json_object_get(known, one->service) && !element_get(project->disabled, one->service);
        bool is_ours = is_named && (!is_orphan || (options->removes_orphans && count == 0));
        if (is_ours) {
            i++;
            continue;
        }
        struct compose_container gone = *one;
        memmove(one, one + 1, (reconciler->state.count - i - 1) * sizeof(*one));
        reconciler->state.count--;
        struct compose_state rest = {.containers = xmemdup(&gone, sizeof(gone)), .count = 1};
        compose_state_release(&rest);
    }
    size_t removed = reconciler->state.count;
    if (!containers_each(reconciler, VERB_STOP_REMOVE, options->timeout, NULL, options->removes_volumes, err))
        return false;
    if (count == 0 && (!remove_networks(reconciler, client, &removed, err) ||
                       (options->removes_volumes && !remove_volumes(reconciler, client, &removed, err)) ||
                       (options->images && !remove_images(reconciler, client, options->images, err))))
        return false;
    if (removed == 0 && !options->images) {
        _cleanup_free_ char *text =
            xasprintf("Warning: No resource found to remove for project \"%s\".", project->name);
        reconciler->reporter->say(reconciler->reporter->report_context, text);
    }
    return true;
}
