/* What reaches out to registries: pull, push, search, login, and what a registry says of a name. A client that leaves
   ends what it asked for. */
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "api/platform.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/events.h"
#include "oci/manifest.h"

/* A stream of progress messages whose head waits for the first: until then a failure has a status of its own. */
struct progress_stream {
    struct call *call;
    bool is_gone;
};

static bool is_gone(void *context)
{
    const struct progress_stream *stream = context;
    struct pollfd poller = {.fd = stream->call->exchange->fd, .events = POLLRDHUP};
    return stream->is_gone || (poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

static void send_progress(void *context, json_t *message)
{
    struct progress_stream *stream = context;
    struct call *call = stream->call;
    if (!call->exchange->has_answered)
        http_exchange_begin(call->exchange, 200, "application/json");
    if (!respond_progress(call, message))
        stream->is_gone = true;
}

static void send_text(struct progress_stream *stream, const char *text)
{
    send_progress(stream, json_pack("{s:o}", "status", json_text(text)));
}

/* After the first message an error is one more. */
static bool end_stream(struct progress_stream *stream, bool is_done, struct error *why, struct error *err)
{
    if (is_done)
        return true;
    if (!stream->call->exchange->has_answered)
        return error_move(err, why);
    return respond_line_error(stream->call, why);
}

static struct registry_call registry_call(struct progress_stream *stream, const struct registry_auth *auth)
{
    return (struct registry_call){.auth = auth, .is_cancelled = is_gone, .progress = send_progress, .context = stream};
}

/* The header of a request that works without it: a bad one is as good as none (moby's postImagesCreate). */
static void read_auth_or_none(const struct call *call, struct registry_auth *out)
{
    struct error ignored = ERROR_INIT;
    if (!registry_auth_parse(strmap_get(&call->exchange->head.headers, "x-registry-auth"), out, &ignored))
        error_release(&ignored);
}

/* --- pull --- */

static bool read_reference(const char *image, const char *tag, struct reference *out, struct error *err)
{
    size_t length = strlen(image);
    _cleanup_free_ char *name = xstrndup(image, length - string_ends_with(image, ":"));
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(name, &reference, err))
        return false;
    if (string_is_set(tag)) {
        reference.is_tag_implied = false;
        if (digest_is_valid(tag)) {
            string_replace(&reference.tag, NULL);
            string_replace(&reference.digest, tag);
        } else if (!tag_is_valid(tag)) {
            return error_set(err, ERROR_INVALID, "invalid tag format");
        } else {
            string_replace(&reference.tag, tag);
        }
    }
    *out = reference;
    reference = (struct reference){0};
    return true;
}

static bool check_platform(struct call *call, const char *id, const char *shown, const struct platform *wanted,
                           struct error *err)
{
    _cleanup_image_ struct image image = {0};
    return image_get(engine_store(call->engine), id, &image, err) && image_check_platform(&image, shown, wanted, err);
}

static void tell_event(struct call *call, const char *action, const struct reference *reference)
{
    _cleanup_free_ char *familiar = reference_familiar(reference);
    _cleanup_free_ char *name = reference_familiar_name(reference);
    image_event(call->engine, action, familiar, name);
}

static bool pull_each(struct call *call, const struct registry_call *registry, struct reference *reference,
                      const struct platform *platform, char **id, bool *is_any_new, struct error *err)
{
    _cleanup_strlist_ struct strlist tags = {0};
    if (reference->is_tag_implied) {
        if (!registry_tags(engine_registry(call->engine), registry, reference, &tags, err))
            return false;
    } else {
        strlist_add(&tags, string_or_empty(reference->tag));
    }
    for (size_t i = 0; i < tags.count; i++) {
        bool is_new = false;
        if (!reference->digest)
            string_replace(&reference->tag, tags.items[i]);
        free(TAKE_PTR(*id));
        if (!registry_pull(engine_registry(call->engine), registry, reference, platform, id, &is_new, err))
            return false;
        *is_any_new |= is_new;
        tell_event(call, "pull", reference);
    }
    return true;
}

static bool pull(struct call *call, struct reference *reference, const struct platform *platform,
                 bool has_given_platform, struct error *err)
{
    struct progress_stream stream = {.call = call};
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    read_auth_or_none(call, &auth);
    struct registry_call registry = registry_call(&stream, &auth);
    _cleanup_free_ char *shown =
        reference->is_tag_implied ? reference_familiar_name(reference) : reference_familiar(reference);
    _cleanup_free_ char *id = NULL;
    bool is_new = false;
    struct error why = ERROR_INIT;
    if (!pull_each(call, &registry, reference, platform, &id, &is_new, &why))
        return end_stream(&stream, false, &why, err);
    _cleanup_free_ char *status =
        xasprintf("Status: %s for %s", is_new ? "Downloaded newer image" : "Image is up to date", shown);
    send_text(&stream, status);
    bool is_fitting = !has_given_platform || !id || check_platform(call, id, shown, platform, &why);
    return end_stream(&stream, is_fitting, &why, err);
}

bool images_pull(struct call *call, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    const char *text = call->version >= 132 ? query_text(call, "platform") : NULL;
    struct platform platform = {0};
    if (string_is_set(text)) {
        if (!platform_parse(text, &platform, err))
            return false;
    } else {
        platform_host(&platform);
    }
    bool is_done = read_reference(query_text(call, "fromImage"), query_text(call, "tag"), &reference, err) &&
                   pull(call, &reference, &platform, string_is_set(text), err);
    record_release(&platform_type, &platform);
    return is_done;
}

/* --- push --- */

static bool push_all(struct call *call, const struct registry_call *registry, struct reference *reference,
                     struct error *err)
{
    _cleanup_strmap_ struct strmap tags = {0};
    _cleanup_free_ char *name = reference_full_name(reference);
    _cleanup_free_ char *familiar = reference_familiar_name(reference);
    if (!image_tags(engine_store(call->engine), name, &tags, err))
        return false;
    if (tags.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "An image does not exist locally with the tag: %s", familiar);
    for (size_t i = 0; i < tags.count; i++) {
        string_replace(&reference->tag, strrchr(tags.items[i].key, ':') + 1);
        if (!registry_push(engine_registry(call->engine), registry, reference, tags.items[i].value, err))
            return false;
        tell_event(call, "push", reference);
    }
    return true;
}

static bool push(struct call *call, const struct registry_call *registry, struct reference *reference, bool is_all,
                 struct error *err)
{
    if (is_all)
        return push_all(call, registry, reference, err);
    _cleanup_free_ char *name = reference_full_name(reference);
    _cleanup_free_ char *full = xasprintf("%s:%s", name, reference->tag);
    _cleanup_image_ struct image image = {0};
    if (image_get(engine_store(call->engine), full, &image, NULL)) {
        if (!registry_push(engine_registry(call->engine), registry, reference, image.id, err))
            return false;
        tell_event(call, "push", reference);
        return true;
    }
    _cleanup_free_ char *familiar = reference_familiar_name(reference);
    return error_set(err, ERROR_NOT_FOUND, "An image does not exist locally with the tag: %s", familiar);
}

/* The header, or the body of clients before it existed. */
static bool read_push_auth(struct call *call, struct registry_auth *auth, struct error *err)
{
    const char *header = strmap_get(&call->exchange->head.headers, "x-registry-auth");
    if (string_is_set(header)) {
        read_auth_or_none(call, auth);
        return true;
    }
    _cleanup_json_ json_t *body = NULL;
    if (!request_json(call, true, &body, err))
        return error_prefix(err, "bad parameters and missing X-Registry-Auth: invalid X-Registry-Auth header");
    if (!body)
        return error_set(err, ERROR_INVALID,
                         "bad parameters and missing X-Registry-Auth: invalid X-Registry-Auth header: EOF");
    return record_from_json(&registry_auth_type, body, auth, err);
}

/* `text` is the platform as JSON. */
static bool check_pushed_platform(struct call *call, const struct reference *reference, const char *text,
                                  struct error *err)
{
    struct platform platform = {0};
    _cleanup_free_ char *shown = reference_familiar(reference);
    if (!query_platform(text, &platform, err))
        return false;
    bool is_fitting = check_platform(call, shown, shown, &platform, err);
    record_release(&platform_type, &platform);
    return is_fitting;
}

bool images_push(struct call *call, struct error *err)
{
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    _cleanup_reference_ struct reference reference = {0};
    const char *tag = query_text(call, "tag"), *platform = query_text(call, "platform");
    if (!read_push_auth(call, &auth, err) || !reference_parse(call->target, &reference, err))
        return false;
    if (reference.digest)
        return error_set(err, ERROR_INVALID, "cannot push a digest reference");
    if (string_is_set(tag) && !tag_is_valid(tag))
        return error_set(err, ERROR_INVALID, "invalid tag format");
    bool is_all = !string_is_set(tag) && reference.is_tag_implied;
    if (string_is_set(tag))
        string_replace(&reference.tag, tag);
    if (string_is_set(platform) && call->version >= 146 && !check_pushed_platform(call, &reference, platform, err))
        return false;
    struct progress_stream stream = {.call = call};
    struct registry_call registry = registry_call(&stream, &auth);
    _cleanup_free_ char *name = reference_full_name(&reference);
    _cleanup_free_ char *status = xasprintf("The push refers to repository [%s]", name);
    send_text(&stream, status);
    struct error why = ERROR_INIT;
    bool is_done = push(call, &registry, &reference, is_all, &why);
    return end_stream(&stream, is_done, &why, err);
}

/* --- questions --- */

bool distribution_inspect(struct call *call, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    const char *hex = call->target + (string_starts_with(call->target, "sha256:") ? strlen("sha256:") : 0);
    if (is_hex_id(hex))
        return error_set(err, ERROR_INTERNAL, "no manifest found for full image ID");
    if (!reference_parse(call->target, &reference, err))
        return false;
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    read_auth_or_none(call, &auth);
    struct progress_stream stream = {.call = call};
    struct registry_call registry = {.auth = &auth, .is_cancelled = is_gone, .context = &stream};
    json_t *json = registry_inspect(engine_registry(call->engine), &registry, &reference, err);
    return json && respond_json(call, 200, json);
}

/* As Docker: whatever type it says it is, and what is wrong with it is told as it is. */
static bool read_auth_body(struct call *call, struct registry_auth *auth, struct error *err)
{
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    if (!http_exchange_read_all(call->exchange, BODY_LIMIT, &body, err))
        return false;
    struct error why = ERROR_INIT;
    if (body.length == 0)
        return error_set(err, ERROR_INTERNAL, "EOF");
    if (record_parse(&registry_auth_type, strbuf_text(&body), body.length, auth, &why))
        return true;
    const char *message = error_message(&why), *prefix = "invalid JSON: ";
    error_set(err, ERROR_INTERNAL, "%s", message + (string_starts_with(message, prefix) ? strlen(prefix) : 0));
    error_release(&why);
    return false;
}

bool registry_auth_check(struct call *call, struct error *err)
{
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    if (!read_auth_body(call, &auth, err))
        return false;
    struct progress_stream stream = {.call = call};
    struct registry_call registry = {.auth = &auth, .is_cancelled = is_gone, .context = &stream};
    _cleanup_free_ char *token = NULL;
    if (!registry_login(engine_registry(call->engine), &registry, &token, err)) {
        /* What a registry refuses is the daemon's failure in Docker's answer, whatever the reason. */
        if (string_starts_with(error_message(err), "login attempt"))
            err->kind = ERROR_INTERNAL;
        return false;
    }
    return respond_json(call, 200,
                        json_pack("{s:s, s:s}", "IdentityToken", string_or_empty(token), "Status", "Login Succeeded"));
}
