/* The images of services: looked up, pulled or built. */
#include <string.h>

#include "base/memory.h"
#include "compose/container_request.h"
#include "compose/reconcile.h"
#include "oci/reference.h"
#include "json/json_record.h"

struct image_job {
    const char *service_name;
    const json_t *service;
    char *image;
};

/* Its stream is read to the end. */
static bool pull_image(const struct up_options *options, struct client *client, const char *image, const char *platform,
                       struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(image, &reference, err))
        return false;
    _cleanup_free_ char *full = reference_full(&reference);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/create");
    const char *slash = strrchr(full, '/'), *colon = strrchr(slash ? slash : full, ':'), *at = strchr(full, '@');
    _cleanup_free_ char *name = xstrndup(full, at      ? (size_t)(at - full)
                                               : colon ? (size_t)(colon - full)
                                                       : strlen(full));
    client_query_add(&path, "fromImage", name);
    client_query_add(&path, "tag", at ? at + 1 : colon ? colon + 1 : "latest");
    client_query_add(&path, "platform", platform);
    _cleanup_strmap_ struct strmap headers = {0};
    if (options->authenticate && !options->authenticate(options->authenticate_context, reference.domain, &headers, err))
        return false;
    struct client_request request = {.method = "POST", .path = strbuf_text(&path), .headers = &headers};
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(client, &request, err);
    if (!stream)
        return false;
    /* Only the last line tells whether it went well. */
    _cleanup_strbuf_ struct strbuf line = {.limit = 1 << 20};
    char piece[4096];
    ssize_t count;
    while ((count = client_stream_read(stream, piece, sizeof(piece))) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (piece[i] != '\n') {
                strbuf_add_char(&line, piece[i]);
                continue;
            }
            _cleanup_json_ json_t *message = json_parse(strbuf_text(&line), line.length, NULL);
            const char *error = json_string_value(json_object_get(message, "error"));
            if (error)
                return error_set(err, ERROR_INTERNAL, "%s", error);
            strbuf_truncate(&line, 0);
        }
    }
    return true;
}

static json_t *inspect(struct client *client, const char *image, struct error *err)
{
    _cleanup_free_ char *path = client_path("images", image, "/json");
    return client_get_json(client, path, err);
}

/* The image's inspection becomes known to all services that use it. */
static bool ensure_image(void *context, void *subject, struct client *client, struct error *err)
{
    struct reconciler *reconciler = context;
    const struct image_job *job = subject;
    const char *policy = reconciler->options->pull ? reconciler->options->pull
                                                   : json_string_value(json_object_get(job->service, "pull_policy"));
    bool can_build = json_object_get(job->service, "build") != NULL;
    bool builds = can_build && (reconciler->options->builds_always || string_equal(policy, "build"));
    struct error cause = ERROR_INIT;
    json_t *found = builds || string_equal(policy, "always") ? NULL : inspect(client, job->image, &cause);
    if (!found && cause.kind != ERROR_NONE && cause.kind != ERROR_NOT_FOUND)
        return error_move(err, &cause);
    error_release(&cause);
    if (!found && can_build && !(string_equal(policy, "always") && json_object_get(job->service, "image") && !builds)) {
        if (reconciler->options->never_builds)
            return error_set(err, ERROR_NOT_FOUND, "No such image: %s, and --no-build forbids to build it", job->image);
        if (!reconciler->options->build(reconciler->options->build_context, client, job->service_name, err))
            return false;
        found = inspect(client, job->image, err);
    } else if (!found) {
        if (string_equal(policy, "never"))
            return error_set(err, ERROR_NOT_FOUND, "No such image: %s", job->image);
        bool is_told = !reconciler->options->is_quiet_pull;
        if (is_told)
            reconciler_report(reconciler, "Image", job->service_name, "Pulling", false);
        if (!pull_image(reconciler->options, client, job->image,
                        json_string_value(json_object_get(job->service, "platform")), err)) {
            reconciler_report(reconciler, "Image", job->service_name, "Error", true);
            return false;
        }
        if (is_told)
            reconciler_report(reconciler, "Image", job->service_name, "Pulled", true);
        found = inspect(client, job->image, err);
    }
    if (!found)
        return false;
    pthread_mutex_lock(&reconciler->lock);
    json_object_set_new(reconciler->images, job->image, found);
    pthread_mutex_unlock(&reconciler->lock);
    return true;
}

bool ensure_images(struct reconciler *reconciler, struct error *err)
{
    json_t *services = json_object_get(reconciler->project->model, "services"), *service;
    size_t count = json_object_size(services), used = 0;
    struct image_job *jobs = xcalloc(count + 1, sizeof(*jobs));
    _cleanup_task_list_ struct task_list list = {0};
    const char *name;
    if (!reconciler->images)
        reconciler->images = json_object();
    json_object_foreach(services, name, service)
    {
        _cleanup_free_ char *image = service_image(reconciler->project, name, service);
        bool is_known = false;
        for (size_t i = 0; i < used; i++)
            is_known = is_known || string_equal(jobs[i].image, image);
        if (is_known)
            continue;
        jobs[used] = (struct image_job){name, service, TAKE_PTR(image)};
        task_add(&list, ensure_image, &jobs[used++]);
    }
    bool is_good = tasks_run(reconciler->workers, &list, reconciler, err);
    for (size_t i = 0; i < used; i++)
        free(jobs[i].image);
    free(jobs);
    return is_good;
}
