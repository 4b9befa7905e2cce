/* Starting, in the order that services ask for. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "compose/container_request.h"
#include "compose/reconcile.h"
#include "json/json_record.h"

#define LOOK_FIRST_MS 10
#define LOOK_MOST_MS  200

static void pause_between_looks(int *milliseconds)
{
    struct timespec time = {.tv_sec = *milliseconds / 1000, .tv_nsec = *milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
    *milliseconds = MIN(*milliseconds * 2, LOOK_MOST_MS);
}

static json_t *inspect(struct client *client, const char *id, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", id, "/json");
    return client_get_json(client, path, err);
}

struct health {
    bool is_running, has_check, is_healthy, is_unhealthy;
    int64_t exit_code;
};

static bool read_health(struct client *client, const char *id, struct health *out, struct error *err)
{
    _cleanup_json_ json_t *container = inspect(client, id, err);
    if (!container)
        return false;
    const json_t *state = json_object_get(container, "State"), *health = json_object_get(state, "Health");
    const char *status = json_string_value(json_object_get(health, "Status"));
    *out = (struct health){.is_running = json_is_true(json_object_get(state, "Running")),
                           .has_check = status && !string_equal(status, "none"),
                           .is_healthy = string_equal(status, "healthy"),
                           .is_unhealthy = string_equal(status, "unhealthy"),
                           .exit_code = json_integer_value(json_object_get(state, "ExitCode"))};
    return true;
}

/* service_healthy: without a check nothing could ever make it so. `falls_back`: running is enough then. `deadline`: of
   the monotonic clock in nanoseconds, or 0. */
static bool await_healthy(struct client *client, const char *id, const char *name, bool falls_back, int64_t deadline,
                          struct error *err)
{
    for (int wait = LOOK_FIRST_MS;; pause_between_looks(&wait)) {
        struct health health;
        if (!read_health(client, id, &health, err))
            return false;
        if (!health.is_running)
            return error_set(err, ERROR_INTERNAL, "container %s exited (%lld)", name, (long long)health.exit_code);
        if (!health.has_check && !falls_back)
            return error_set(err, ERROR_INVALID, "container %s has no healthcheck configured", name);
        if (health.is_healthy || !health.has_check)
            return true;
        if (health.is_unhealthy)
            return error_set(err, ERROR_INTERNAL, "container %s is unhealthy", name);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (deadline && now.tv_sec * 1000000000LL + now.tv_nsec > deadline)
            return error_set(err, ERROR_UNAVAILABLE, "application not healthy after --wait-timeout");
    }
}

static bool await_exit(struct client *client, const char *id, int64_t *code, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", id, "/wait");
    struct client_request request = {.method = "POST", .path = path};
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(client, &request, err);
    _cleanup_json_ json_t *answer = stream ? client_stream_json(stream, err) : NULL;
    *code = json_integer_value(json_object_get(answer, "StatusCode"));
    return answer;
}

/* Copies of ids and names of a service's containers. */
static void list_containers(struct reconciler *reconciler, const char *service, struct strmap *out)
{
    pthread_mutex_lock(&reconciler->lock);
    for (size_t i = 0; i < reconciler->state.count; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (string_equal(one->service, service) && one->id[0] && !one->is_oneoff)
            strmap_set(out, one->id, one->name);
    }
    pthread_mutex_unlock(&reconciler->lock);
}

static bool await_dependency(struct reconciler *reconciler, struct client *client, const char *other, const json_t *how,
                             struct error *err)
{
    const char *condition = string_or_empty(json_string_value(json_object_get(how, "condition")));
    bool is_required = json_is_true(json_object_get(how, "required"));
    _cleanup_strmap_ struct strmap containers = {0};
    if (string_equal(condition, "service_started"))
        return true;
    list_containers(reconciler, other, &containers);
    for (size_t i = 0; i < containers.count; i++) {
        const char *id = containers.items[i].key, *name = containers.items[i].value;
        struct error cause = ERROR_INIT;
        int64_t code = 0;
        bool is_health = string_equal(condition, "service_healthy"), is_good;
        reconciler_report(reconciler, "Container", name, "Waiting", false);
        is_good = is_health ? await_healthy(client, id, name, false, 0, &cause) : await_exit(client, id, &code, &cause);
        if (is_good && !is_health && code != 0)
            is_good = error_set(&cause, ERROR_INTERNAL, "service \"%s\" didn't complete successfully: exit %lld", other,
                                (long long)code);
        reconciler_report(reconciler, "Container", name, !is_good ? "Error" : is_health ? "Healthy" : "Exited", true);
        if (is_good)
            continue;
        if (!is_required) {
            _cleanup_free_ char *text =
                xasprintf("optional dependency \"%s\" failed to start: %s", other, error_message(&cause));
            reconciler->reporter->say(reconciler->reporter->report_context, text);
            error_release(&cause);
            continue;
        }
        if (is_health)
            error_prefix(&cause, "dependency failed to start");
        return error_move(err, &cause);
    }
    return true;
}

static bool put_files(struct reconciler *reconciler, struct client *client, const json_t *service, const char *id,
                      struct error *err)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    if (!container_files(reconciler->project, service, &tar, err))
        return false;
    if (tar.length == 0)
        return true;
    _cleanup_free_ char *path = client_path("containers", id, "/archive?path=/&copyUIDGID=1");
    struct client_request request = {
        .method = "PUT", .path = path, .content_type = "application/x-tar", .data = tar.data, .length = tar.length};
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    return client_request(client, &request, &answer, err);
}

static bool start_one(const struct service_job *job, struct client *client, const char *id, const char *name,
                      struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", id, "/start");
    reconciler_report(job->reconciler, "Container", name, "Starting", false);
    bool is_good = put_files(job->reconciler, client, job->service, id, err) && client_post(client, path, NULL, err);
    reconciler_report(job->reconciler, "Container", name, is_good ? "Started" : "Error", true);
    return is_good;
}

static bool run_job(void *context, void *subject, struct client *client, struct error *err)
{
    const struct service_job *job = subject;
    struct reconciler *reconciler = job->reconciler;
    _cleanup_strmap_ struct strmap waiting = {0};
    pthread_mutex_lock(&reconciler->lock);
    for (size_t i = 0; i < reconciler->state.count; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (string_equal(one->service, job->name) && one->id[0] && !one->is_oneoff && !container_is_running(one))
            strmap_set(&waiting, one->id, one->name);
    }
    pthread_mutex_unlock(&reconciler->lock);
    const char *other;
    json_t *how;
    json_object_foreach(json_object_get(job->service, "depends_on"), other, how)
    {
        if (waiting.count > 0 && !await_dependency(reconciler, client, other, how, err))
            return false;
    }
    for (size_t i = 0; i < waiting.count; i++)
        if (!start_one(job, client, waiting.items[i].key, waiting.items[i].value, err))
            return false;
    return true;
}

bool start_containers(struct reconciler *reconciler, struct error *err)
{
    return services_run(reconciler, run_job, err);
}

struct wait_job {
    struct reconciler *reconciler;
    char *id, *name;
    int64_t deadline;
};

static bool run_wait(void *context, void *subject, struct client *client, struct error *err)
{
    const struct wait_job *job = subject;
    reconciler_report(job->reconciler, "Container", job->name, "Waiting", false);
    bool is_good = await_healthy(client, job->id, job->name, true, job->deadline, err);
    reconciler_report(job->reconciler, "Container", job->name, is_good ? "Healthy" : "Error", true);
    return is_good;
}

bool wait_healthy(struct reconciler *reconciler, int64_t limit, struct error *err)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t deadline = limit > 0 ? (now.tv_sec + limit) * 1000000000LL + now.tv_nsec : 0;
    struct wait_job *jobs = xcalloc(reconciler->state.count + 1, sizeof(*jobs));
    _cleanup_task_list_ struct task_list list = {0};
    size_t used = 0;
    const json_t *services = json_object_get(reconciler->project->model, "services");
    for (size_t i = 0; i < reconciler->state.count; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (!one->id[0] || !json_object_get(services, one->service))
            continue;
        jobs[used] = (struct wait_job){reconciler, xstrdup(one->id), xstrdup(one->name), deadline};
        task_add(&list, run_wait, &jobs[used++]);
    }
    bool is_good = tasks_run(reconciler->workers, &list, reconciler, err);
    for (size_t i = 0; i < used; i++) {
        free(jobs[i].id);
        free(jobs[i].name);
    }
    free(jobs);
    return is_good;
}
