/* Images that come and go as tar streams: load, save, import. */
#include <poll.h>

#include "api/platform.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/events.h"
#include "oci/manifest.h"
#include "oci/reference.h"

/* From "Loaded image: busybox:latest" and "Loaded image ID: sha256:…". */
static void tell_of_loaded(struct call *call, const char *message)
{
    _cleanup_image_ struct image image = {0};
    const char *colon = string_starts_with(message, "Loaded image") ? strstr(message, ": ") : NULL;
    if (colon && image_get(engine_store(call->engine), colon + 2, &image, NULL))
        image_event(call->engine, "load", image.id, image.id);
}

/* Of an archive with several platforms this machine's is loaded: another one cannot be chosen. */
static bool check_load_platform(const struct call *call, struct error *err)
{
    const char *text = call->version >= 148 ? query_text(call, "platform") : NULL;
    struct platform wanted = {0}, host = {0};
    if (!string_is_set(text))
        return true;
    if (!query_platform(text, &wanted, err))
        return false;
    platform_host(&host);
    _cleanup_free_ char *shown = platform_text(&wanted);
    bool is_ours = platform_match(&host, &wanted) > 0;
    record_release(&platform_type, &wanted);
    record_release(&platform_type, &host);
    return is_ours || error_set(err, ERROR_UNSUPPORTED,
                                "loading only the images of %s from an archive is not supported by this version of "
                                "Wherry",
                                shown);
}

bool images_load(struct call *call, struct error *err)
{
    if (!check_load_platform(call, err))
        return false;
    _cleanup_strlist_ struct strlist messages = {0};
    struct error why = ERROR_INIT;
    bool is_loaded = store_load(engine_store(call->engine), request_read, call, &messages, &why);
    /* The status is 200 even for an archive that is no image: Docker has begun its progress stream by then. */
    http_exchange_begin(call->exchange, 200, "application/json");
    for (size_t i = 0; i < messages.count; i++) {
        tell_of_loaded(call, messages.items[i]);
        _cleanup_free_ char *line = xasprintf("%s\n", messages.items[i]);
        respond_progress(call, json_pack("{s:o}", "stream", json_text(line)));
    }
    return is_loaded || respond_line_error(call, &why);
}

/* The head waits for the first byte: until then an unknown image is an error of its own. */
static bool write_archive(void *context, const void *data, size_t length)
{
    struct call *call = context;
    if (!call->exchange->has_answered)
        http_exchange_begin(call->exchange, 200, "application/x-tar");
    return http_exchange_write(call->exchange, data, length);
}

bool images_save(struct call *call, struct error *err)
{
    _cleanup_strlist_ struct strlist names = {0};
    if (*call->target)
        strlist_add(&names, call->target);
    else
        http_query_all(call->exchange->query, "names", &names);
    for (size_t i = 0; i < names.count; i++)
        if (!platform_check_query(call, 148, names.items[i], err))
            return false;
    if (!store_save(engine_store(call->engine), &names, write_archive, call, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        _cleanup_image_ struct image image = {0};
        if (image_get(engine_store(call->engine), names.items[i], &image, NULL))
            image_event(call->engine, "save", image.id, image.id);
    }
    return call->exchange->has_answered || http_exchange_begin(call->exchange, 200, "application/x-tar") || true;
}

/* The stream comes from `url` where that is set, else from the body. */
static bool import(struct call *call, struct url_stream *url, const struct import_options *options, struct error *err)
{
    _cleanup_free_ char *id = NULL;
    bool is_imported = store_import(engine_store(call->engine), url ? url_stream_read : request_read,
                                    url ? (void *)url : (void *)call, options, &id, err);
    if (!is_imported && url && url_stream_error(url)->kind)
        error_set(err, url_stream_error(url)->kind, "%s", error_message(url_stream_error(url)));
    if (!is_imported) {
        if (err && string_equal(error_message(err), "unexpected EOF"))
            err->kind = ERROR_INTERNAL; /* as Docker answers what is no archive */
        return false;
    }
    if (string_is_set(options->repository))
        image_event_tag(call->engine, options->repository, options->tag);
    image_event(call->engine, "import", id, id);
    if (!call->exchange->has_answered)
        http_exchange_begin(call->exchange, 200, "application/json");
    respond_progress(call, json_pack("{s:s}", "status", id));
    return true;
}

static void send_progress(void *context, json_t *message)
{
    struct call *call = context;
    if (!call->exchange->has_answered)
        http_exchange_begin(call->exchange, 200, "application/json");
    respond_progress(call, message);
}

static bool is_gone(void *context)
{
    const struct call *call = context;
    struct pollfd poller = {.fd = call->exchange->fd, .events = POLLRDHUP};
    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static bool import_url(struct call *call, const char *source, struct import_options *options, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    if (string_is_set(options->repository) && !reference_parse_name(options->repository, options->tag, &reference, err))
        return false;
    struct registry_call from = {.is_cancelled = is_gone, .progress = send_progress, .context = call};
    _cleanup_(url_stream_closep) struct url_stream *url = url_stream_open(&from, source, err);
    if (!url)
        return false;
    _cleanup_free_ char *message = xasprintf("Imported from %s", source);
    if (!string_is_set(options->message))
        options->message = message;
    struct error why = ERROR_INIT;
    return import(call, url, options, &why) || respond_line_error(call, &why);
}

/* POST /images/create: fromSrc=- imports the body, fromSrc=URL what is there, fromImage pulls. */
bool images_create(struct call *call, struct error *err)
{
    const char *source = query_text(call, "fromSrc"), *image = query_text(call, "fromImage");
    if (string_is_set(image))
        return images_pull(call, err);
    if (!string_is_set(source))
        return error_set(err, ERROR_INVALID, "either fromImage or fromSrc must be given");
    const char *platform = query_text(call, "platform");
    struct import_options options = {
        .repository = query_text(call, "repo"),
        .tag = query_text(call, "tag"),
        .message = query_text(call, "message"),
        .platform = string_is_set(platform) ? platform : NULL,
    };
    http_query_all(call->exchange->query, "changes", &options.changes);
    bool is_done =
        string_equal(source, "-") ? import(call, NULL, &options, err) : import_url(call, source, &options, err);
    strlist_release(&options.changes);
    return is_done;
}
