/* Containers: what there is against what there should be. */
#include <string.h>

#include "base/memory.h"
#include "compose/container_request.h"
#include "compose/reconcile.h"
#include "compose/shape.h"
#include "json/json_record.h"

void reconciler_release(struct reconciler *reconciler)
{
    compose_state_release(&reconciler->state);
    json_decref(reconciler->images);
    reconciler->images = NULL;
}

void reconciler_report(struct reconciler *reconciler, const char *kind, const char *name, const char *status,
                       bool is_end)
{
    reconciler->reporter->report(reconciler->reporter->report_context, kind, name, status, is_end);
}

/* Under the lock: the first container of a service. */
static char *find_id(void *context, const char *service)
{
    struct reconciler *reconciler = context;
    char *id = NULL;
    pthread_mutex_lock(&reconciler->lock);
    for (size_t i = 0; i < reconciler->state.count && !id; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (string_equal(one->service, service) && one->id[0] && !one->is_oneoff)
            id = xstrdup(one->id);
    }
    pthread_mutex_unlock(&reconciler->lock);
    return id;
}

/* References to other services become those containers, as docker compose does before it hashes: so what shares a
   namespace with a container that was replaced is replaced too. NULL with err. */
static json_t *resolved_service(struct reconciler *reconciler, const json_t *service, struct error *err)
{
    static const char *const modes[] = {"network_mode", "ipc", "pid"};
    json_t *copy = json_copy((json_t *)(uintptr_t)service);
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        const char *mode = json_string_value(json_object_get(service, modes[i]));
        if (!mode || !string_starts_with(mode, "service:"))
            continue;
        _cleanup_free_ char *id = find_id(reconciler, mode + strlen("service:"));
        if (!id) {
            json_decref(copy);
            error_set(err, ERROR_NOT_FOUND, "cannot share namespace with service %s: container missing",
                      mode + strlen("service:"));
            return NULL;
        }
        _cleanup_free_ char *text = xasprintf("container:%s", id);
        json_object_set_new(copy, modes[i], json_string(text));
    }
    json_t *from = json_object_get(service, "volumes_from"), *item;
    if (!from)
        return copy;
    json_t *list = json_array();
    size_t i;
    json_array_foreach(from, i, item)
    {
        const char *text = json_string_value(item);
        bool is_container = string_starts_with(text, "container:");
        _cleanup_free_ char *name = xstrndup(text, strcspn(text, ":")),
                            *id = is_container ? NULL : find_id(reconciler, name);
        if (!is_container && !id) {
            json_decref(list);
            json_decref(copy);
            error_set(err, ERROR_NOT_FOUND, "cannot share volume with service %s: container missing", name);
            return NULL;
        }
        _cleanup_free_ char *reference = is_container ? xstrdup(text) : xasprintf("%s%s", id, text + strlen(name));
        json_array_append_new(list, json_string(reference));
    }
    json_object_set_new(copy, "volumes_from", list);
    return copy;
}

static char *container_name(const struct project *project, const char *service_name, const json_t *service, int number)
{
    const char *own = json_string_value(json_object_get(service, "container_name"));
    return own ? xstrdup(own) : xasprintf("%s-%s-%d", project->name, service_name, number);
}

/* Creates what the plan says under plan->name, or under `other_name`. The id; caller frees. */
static char *create(struct reconciler *reconciler, struct client *client, struct container_plan *plan,
                    const char *other_name, struct error *err)
{
    _cleanup_free_ char *image = service_image(plan->project, plan->service_name, plan->service);
    pthread_mutex_lock(&reconciler->lock);
    plan->image = json_object_get(reconciler->images, image);
    pthread_mutex_unlock(&reconciler->lock);
    plan->image_id = string_or_empty(json_string_value(json_object_get(plan->image, "Id")));
    plan->find = find_id;
    plan->find_context = reconciler;
    _cleanup_json_ json_t *request = container_request(plan, err);
    if (!request)
        return NULL;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/containers/create");
    client_query_add(&path, "name", other_name ? other_name : plan->name);
    client_query_add(&path, "platform", json_string_value(json_object_get(plan->service, "platform")));
    _cleanup_json_ json_t *answer = client_post_json(client, strbuf_text(&path), request, err);
    return answer ? xstrdup(string_or_empty(json_string_value(json_object_get(answer, "Id")))) : NULL;
}

char *create_oneoff(struct reconciler *reconciler, struct client *client, const char *service_name,
                    const json_t *service, const char *name, bool with_ports, bool with_aliases, struct error *err)
{
    _cleanup_json_ json_t *resolved = resolved_service(reconciler, service, err);
    if (!resolved)
        return NULL;
    struct container_plan plan = {.project = reconciler->project,
                                  .service_name = service_name,
                                  .service = resolved,
                                  .name = name,
                                  .number = 1,
                                  .is_oneoff = true,
                                  .no_ports = !with_ports,
                                  .no_aliases = !with_aliases};
    return create(reconciler, client, &plan, NULL, err);
}

/* Puts the new container where the old one was, or at the end. Takes the id. */
static void remember(struct reconciler *reconciler, const char *old_id, const char *service, const char *name, char *id,
                     int number)
{
    pthread_mutex_lock(&reconciler->lock);
    struct compose_container *place = NULL;
    for (size_t i = 0; i < reconciler->state.count && old_id; i++)
        if (string_equal(reconciler->state.containers[i].id, old_id))
            place = &reconciler->state.containers[i];
    if (!place) {
        place = APPEND(reconciler->state.containers, reconciler->state.count);
        place->service = xstrdup(service);
        place->name = xstrdup(name);
        place->hash = xstrdup("");
        place->image = xstrdup("");
    }
    free(place->id);
    place->id = id;
    place->number = number;
    string_replace(&place->state, "created");
    pthread_mutex_unlock(&reconciler->lock);
}

static void forget(struct reconciler *reconciler, const char *id)
{
    pthread_mutex_lock(&reconciler->lock);
    for (size_t i = 0; i < reconciler->state.count; i++)
        if (string_equal(reconciler->state.containers[i].id, id))
            string_replace(&reconciler->state.containers[i].id, "");
    pthread_mutex_unlock(&reconciler->lock);
}

char *stop_path(const char *id, const char *verb, int64_t timeout)
{
    return timeout < 0 ? xasprintf("/containers/%s/%s", id, verb)
                       : xasprintf("/containers/%s/%s?t=%lld", id, verb, (long long)timeout);
}

static bool stop_and_remove(struct client *client, const char *id, int64_t timeout, bool with_volumes,
                            struct error *err)
{
    _cleanup_free_ char *stop = stop_path(id, "stop", timeout),
                        *removal = xasprintf("/containers/%s?force=1%s", id, with_volumes ? "&v=1" : "");
    struct error cause = ERROR_INIT;
    bool is_good = client_post(client, stop, NULL, &cause) && client_delete(client, removal, &cause);
    /* Removed behind our back: that is what was wanted. */
    if (!is_good && cause.kind != ERROR_NOT_FOUND)
        return error_move(err, &cause);
    error_release(&cause);
    return true;
}

static bool add_container(const struct service_job *job, const json_t *service, int number, struct error *err)
{
    struct reconciler *reconciler = job->reconciler;
    _cleanup_free_ char *name = container_name(reconciler->project, job->name, service, number);
    struct container_plan plan = {
        .project = reconciler->project, .service_name = job->name, .service = service, .name = name, .number = number};
    reconciler_report(reconciler, "Container", name, "Creating", false);
    char *id = create(reconciler, job->client, &plan, NULL, err);
    reconciler_report(reconciler, "Container", name, id ? "Created" : "Error", true);
    if (!id)
        return false;
    remember(reconciler, NULL, job->name, name, id, number);
    return true;
}

/* The new one is made beside the old one, takes its anonymous volumes, and then its name: what fails before leaves the
   old one as it was. */
static bool replace_container(const struct service_job *job, const json_t *service, const char *old_id,
                              const char *old_name, int number, struct error *err)
{
    struct reconciler *reconciler = job->reconciler;
    _cleanup_free_ char *name = container_name(reconciler->project, job->name, service, number),
                        *temporary = xasprintf("%.12s_%s", old_id, name),
                        *inspect_path = client_path("containers", old_id, "/json");
    reconciler_report(reconciler, "Container", old_name, "Recreate", false);
    _cleanup_json_ json_t *old = client_get_json(job->client, inspect_path, err);
    struct container_plan plan = {.project = reconciler->project,
                                  .service_name = job->name,
                                  .service = service,
                                  .name = name,
                                  .number = number,
                                  .replaces = old_id,
                                  .inherited =
                                      reconciler->options->renews_volumes ? NULL : json_object_get(old, "Mounts")};
    char *id = old ? create(reconciler, job->client, &plan, temporary, err) : NULL;
    bool is_good = id && stop_and_remove(job->client, old_id, reconciler->options->timeout, false, err);
    if (is_good) {
        _cleanup_strbuf_ struct strbuf rename = STRBUF_INIT;
        strbuf_addf(&rename, "/containers/%s/rename", id);
        client_query_add(&rename, "name", name);
        is_good = client_post(job->client, strbuf_text(&rename), NULL, err);
    }
    reconciler_report(reconciler, "Container", old_name, is_good ? "Recreated" : "Error", true);
    if (!is_good) {
        free(id);
        return false;
    }
    remember(reconciler, old_id, job->name, name, id, number);
    return true;
}

static bool remove_container(const struct service_job *job, const char *id, const char *name, struct error *err)
{
    reconciler_report(job->reconciler, "Container", name, "Removing", false);
    if (!stop_and_remove(job->client, id, job->reconciler->options->timeout, false, err))
        return false;
    reconciler_report(job->reconciler, "Container", name, "Removed", true);
    forget(job->reconciler, id);
    return true;
}

static int wanted_count(const struct reconciler *reconciler, const char *name, const json_t *service)
{
    const char *given = reconciler->options->scale ? strmap_get(reconciler->options->scale, name) : NULL;
    const json_t *scale = json_object_get(service, "scale"),
                 *replicas = json_object_get(json_object_get(service, "deploy"), "replicas");
    if (given)
        return (int)strtol(given, NULL, 10);
    if (scale || replicas)
        return (int)json_integer_value(scale ? scale : replicas);
    return 1;
}

static bool is_direct(const struct reconciler *reconciler, const char *name)
{
    const struct strlist *direct = reconciler->options->direct;
    return !direct || direct->count == 0 || strlist_contains(direct, name);
}

static bool must_recreate(struct reconciler *reconciler, const struct compose_container *container, const char *name,
                          const char *hash, const char *image_id)
{
    if (reconciler->options->never_recreates)
        return false;
    if (is_direct(reconciler, name) ? reconciler->options->forces_recreate
                                    : reconciler->options->recreates_dependencies)
        return true;
    /* docker compose replaces what was made of another image. */
    return !string_equal(container->hash, hash) || !string_equal(container->image, image_id);
}

/* Copies of what concerns one service: the state may move while others work. */
static struct compose_container *own_containers(struct reconciler *reconciler, const char *name, size_t *count)
{
    struct compose_container *own = NULL;
    *count = 0;
    pthread_mutex_lock(&reconciler->lock);
    for (size_t i = 0; i < reconciler->state.count; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (!string_equal(one->service, name) || !one->id[0] || one->is_oneoff)
            continue;
        *APPEND(own, *count) = (struct compose_container){.id = xstrdup(one->id),
                                                          .name = xstrdup(one->name),
                                                          .hash = xstrdup(one->hash),
                                                          .image = xstrdup(one->image),
                                                          .state = xstrdup(one->state),
                                                          .service = xstrdup(one->service),
                                                          .number = one->number};
    }
    pthread_mutex_unlock(&reconciler->lock);
    return own;
}

/* Services that want to be restarted with this one (depends_on: restart) are stopped before it is replaced, and started
   again with all others. They come after it in the order, so nobody works on them now. */
static bool stop_dependents(const struct service_job *job, struct error *err)
{
    struct reconciler *reconciler = job->reconciler;
    json_t *services = json_object_get(reconciler->project->model, "services"), *other;
    const char *name;
    json_object_foreach(services, name, other)
    {
        const json_t *how = json_object_get(json_object_get(other, "depends_on"), job->name);
        if (!json_is_true(json_object_get(how, "restart")))
            continue;
        struct compose_state own = {0};
        own.containers = own_containers(reconciler, name, &own.count);
        bool is_good = true;
        for (size_t i = 0; is_good && i < own.count; i++) {
            const struct compose_container *one = &own.containers[i];
            if (!container_is_running(one))
                continue;
            _cleanup_free_ char *path = stop_path(one->id, "stop", reconciler->options->timeout);
            reconciler_report(reconciler, "Container", one->name, "Stopping", false);
            is_good = client_post(job->client, path, NULL, err);
            reconciler_report(reconciler, "Container", one->name, is_good ? "Stopped" : "Error", true);
            pthread_mutex_lock(&reconciler->lock);
            for (size_t j = 0; j < reconciler->state.count; j++)
                if (string_equal(reconciler->state.containers[j].id, one->id))
                    string_replace(&reconciler->state.containers[j].state, "exited");
            pthread_mutex_unlock(&reconciler->lock);
        }
        compose_state_release(&own);
        if (!is_good)
            return false;
    }
    return true;
}

static bool ensure_service(const struct service_job *job, const json_t *service, struct compose_state *own,
                           struct error *err)
{
    struct reconciler *reconciler = job->reconciler;
    _cleanup_free_ char *hash = shape_hash(service), *image = service_image(reconciler->project, job->name, service);
    pthread_mutex_lock(&reconciler->lock);
    const char *image_id =
        string_or_empty(json_string_value(json_object_get(json_object_get(reconciler->images, image), "Id")));
    pthread_mutex_unlock(&reconciler->lock);
    int wanted = wanted_count(reconciler, job->name, service), kept = 0, highest = 0;
    bool has_stopped = false;
    for (size_t i = 0; i < own->count; i++) {
        const struct compose_container *one = &own->containers[i];
        if (kept >= wanted) {
            if (!remove_container(job, one->id, one->name, err))
                return false;
            continue;
        }
        kept++;
        highest = MAX(highest, one->number);
        if (must_recreate(reconciler, one, job->name, hash, image_id)) {
            if (!has_stopped && !stop_dependents(job, err))
                return false;
            has_stopped = true;
            if (!replace_container(job, service, one->id, one->name, one->number, err))
                return false;
        } else if (container_is_running(one)) {
            reconciler_report(reconciler, "Container", one->name, "Running", true);
        }
    }
    for (; kept < wanted; kept++)
        if (!add_container(job, service, ++highest, err))
            return false;
    return true;
}

static bool run_job(void *context, void *subject, struct client *client, struct error *err)
{
    struct service_job *job = subject;
    job->client = client;
    _cleanup_json_ json_t *service = resolved_service(job->reconciler, job->service, err);
    if (!service)
        return false;
    struct compose_state own = {0};
    own.containers = own_containers(job->reconciler, job->name, &own.count);
    bool is_good = ensure_service(job, service, &own, err);
    compose_state_release(&own);
    return is_good;
}

bool services_run(struct reconciler *reconciler,
                  bool (*run)(void *context, void *subject, struct client *client, struct error *err),
                  struct error *err)
{
    json_t *services = json_object_get(reconciler->project->model, "services"), *service, *unused;
    size_t count = json_object_size(services), used = 0;
    _cleanup_free_ struct service_job *jobs = xcalloc(count + 1, sizeof(*jobs));
    _cleanup_task_list_ struct task_list list = {0};
    const char *name, *other;
    json_object_foreach(services, name, service)
    {
        jobs[used] = (struct service_job){.reconciler = reconciler, .name = name, .service = service};
        jobs[used].task = task_add(&list, run, &jobs[used]);
        used++;
    }
    for (size_t i = 0; i < used; i++) {
        json_object_foreach(json_object_get(jobs[i].service, "depends_on"), other, unused)
        {
            for (size_t j = 0; j < used; j++)
                if (string_equal(jobs[j].name, other))
                    task_after(&list, jobs[i].task, jobs[j].task);
        }
    }
    return tasks_run(reconciler->workers, &list, reconciler, err);
}

bool ensure_containers(struct reconciler *reconciler, struct error *err)
{
    bool is_good = services_run(reconciler, run_job, err);
    compose_state_sort(&reconciler->state);
    return is_good;
}
