/* Push: the layers, several at a time, each looked for in the registry before it is sent; then the config, then the
   manifest. An image that came with a manifest goes out with the same one, so that its digest stays. */
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "registry/registry_internal.h"
#include "registry/upload.h"
#include "store/blob.h"
#include "store/digest.h"
#include "store/internal.h"
#include "json/json_record.h"

#define REPORT_INTERVAL (NANOSECONDS_PER_SECOND / 10)

struct push {
    struct registry *registry;
    struct session *session;
    struct teller teller;
    const struct reference *reference;
    char *repository; /* "docker.io/library/busybox" */
    struct image image;
    struct layer_source *layers; /* what each is in the registry; by position, the base first */
    size_t count;
    size_t next; /* under the lock */
    pthread_mutex_t lock;
    atomic_bool has_failed;
    struct error err;
    const struct registry_call *call;
    struct registry_call inner;
};

static bool push_is_cancelled(void *context)
{
    struct push *push = context;
    return push->has_failed || call_is_cancelled(push->call);
}

static void push_progress(void *context, json_t *message)
{
    struct push *push = context;
    if (push->call->progress && !push->has_failed)
        push->call->progress(push->call->context, message);
    else
        json_decref(message);
}

static void push_release(struct push *push)
{
    session_close(push->session);
    teller_release(&push->teller);
    free(push->repository);
    image_release(&push->image);
    layer_sources_free(push->layers, push->count);
    pthread_mutex_destroy(&push->lock);
    error_release(&push->err);
}

/* --- one layer --- */

static void source_copy(struct layer_source *to, const struct layer_source *from)
{
    string_replace(&to->repository, from->repository);
    string_replace(&to->digest, from->digest);
    string_replace(&to->media_type, from->media_type);
    to->size = from->size;
}

/* The path of a repository of the same registry, or NULL. */
static const char *neighbour(const struct push *push, const char *repository)
{
    size_t length = strlen(push->reference->domain);
    bool is_near = strncmp(repository, push->reference->domain, length) == 0 && repository[length] == '/' &&
                   strcmp(repository, push->repository) != 0;
    return is_near ? repository + length + 1 : NULL;
}

struct layer_push {
    struct push *push;
    struct transport *transport;
    const char *diff_id;
    char *id;
    struct layer_source *sources;
    size_t source_count;
    struct layer_source *result;
    char *location; /* of an upload that a refused mount began */
    int64_t size;
    int64_t reported_at;
};

/* *is_done where the registry has it already. */
static bool look(struct layer_push *layer, bool *is_done, struct error *err)
{
    struct push *push = layer->push;
    for (size_t i = 0; i < layer->source_count && !*is_done; i++) {
        const struct layer_source *source = &layer->sources[i];
        bool is_near = string_starts_with(source->repository, push->reference->domain);
        if (!is_near || !string_is_set(source->digest))
            continue;
        if (!blob_is_there(push->session, layer->transport, source->digest, is_done, err))
            return false;
        if (*is_done) {
            source_copy(layer->result, source);
            tell_state(&push->teller, layer->id, "Layer already exists");
        }
    }
    for (size_t i = 0; i < layer->source_count && !*is_done; i++) {
        const struct layer_source *source = &layer->sources[i];
        const char *path = neighbour(push, source->repository);
        if (!path || layer->location)
            continue;
        if (!blob_mount(push->session, layer->transport, source->digest, path, is_done, &layer->location, err))
            return false;
        if (*is_done) {
            source_copy(layer->result, source);
            _cleanup_free_ char *text = xasprintf("Mounted from %s", path);
            tell_state(&push->teller, layer->id, text);
        }
    }
    return true;
}

static void report(void *context, int64_t bytes)
{
    struct layer_push *layer = context;
    int64_t now = clock_monotonic();
    if (now - layer->reported_at < REPORT_INTERVAL && bytes < layer->size)
        return;
    layer->reported_at = now;
    tell_progress(&layer->push->teller, layer->id, "Pushing", bytes, layer->size);
}

static bool send(struct layer_push *layer, struct error *err)
{
    struct push *push = layer->push;
    struct layer_info info = {0};
    if (!layer_get(push->registry->store, layer->diff_id, &info, err))
        return false;
    /* What came from a registry goes out as it came. */
    bool has_come = false;
    for (size_t i = 0; i < layer->source_count; i++)
        has_come |= string_equal(layer->sources[i].digest, info.blob_digest);
    if (!has_come) {
        layer_info_release(&info);
        if (!layer_compress(push->registry->store, layer->diff_id, push_is_cancelled, push, &info, err))
            return false;
    }
    bool is_there = false;
    int64_t size;
    _cleanup_close_ int fd = blob_open(push->registry->store, info.blob_digest, &size, err);
    bool is_done = fd >= 0 && blob_is_there(push->session, layer->transport, info.blob_digest, &is_there, err);
    if (is_done && !is_there) {
        layer->size = size;
        struct upload upload = {.digest = info.blob_digest, .fd = fd, .size = size, .sent = report, .context = layer};
        is_done = blob_send(push->session, layer->transport, &upload, TAKE_PTR(layer->location), err);
    }
    if (is_done) {
        struct layer_source source = {push->repository, info.blob_digest, size, info.media_type};
        source_copy(layer->result, &source);
        tell_state(&push->teller, layer->id, is_there ? "Layer already exists" : "Pushed");
    }
    layer_info_release(&info);
    return is_done;
}

/* Ours first: asking for what we have saves nothing when it is not the one that is there. */
static bool push_layer(struct push *push, size_t position, struct error *err)
{
    struct layer_push layer = {
        .push = push,
        .diff_id = push->image.parsed.rootfs.diff_ids.items[position],
        .result = &push->layers[position],
        .transport = session_transport(push->session),
    };
    layer.id = digest_short(layer.diff_id);
    bool is_found = false;
    bool is_done = layer_sources(push->registry->store, layer.diff_id, &layer.sources, &layer.source_count, err) &&
                   look(&layer, &is_found, err) && (is_found || send(&layer, err));
    if (is_done) {
        string_replace(&layer.result->repository, push->repository);
        is_done = layer_source_add(push->registry->store, layer.diff_id, layer.result, err);
    }
    transport_free(layer.transport);
    layer_sources_free(layer.sources, layer.source_count);
    free(layer.location);
    free(layer.id);
    return is_done;
}

static void *layer_thread(void *context)
{
    struct push *push = context;
    for (;;) {
        pthread_mutex_lock(&push->lock);
        size_t taken = push->next;
        push->next += taken < push->count;
        pthread_mutex_unlock(&push->lock);
        if (taken >= push->count || push->has_failed)
            return NULL;
        struct error why = ERROR_INIT;
        if (push_layer(push, push->count - 1 - taken, &why)) /* the topmost first */
            continue;
        pthread_mutex_lock(&push->lock);
        if (!atomic_exchange(&push->has_failed, true))
            error_move(&push->err, &why);
        else
            error_release(&why);
        pthread_mutex_unlock(&push->lock);
    }
}

static bool push_layers(struct push *push, struct error *err)
{
    for (size_t i = push->count; i > 0; i--) {
        _cleanup_free_ char *id = digest_short(push->image.parsed.rootfs.diff_ids.items[i - 1]);
        tell_state(&push->teller, id, "Preparing");
    }
    size_t wanted = MIN(push->count, (size_t)push->registry->options.max_uploads), started = 0;
    for (size_t i = wanted; i < push->count; i++) {
        _cleanup_free_ char *id = digest_short(push->image.parsed.rootfs.diff_ids.items[push->count - 1 - i]);
        tell_state(&push->teller, id, "Waiting");
    }
    pthread_t *threads = xcalloc(wanted + 1, sizeof(*threads));
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, layer_thread, push) == 0)
        started++;
    layer_thread(push);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return !push->has_failed || error_move(err, &push->err);
}

/* --- config and manifest --- */

static bool push_config(struct push *push, struct error *err)
{
    bool is_there = false;
    if (!blob_is_there(push->session, push->session->transport, push->image.id, &is_there, err))
        return false;
    struct upload upload = {
        .digest = push->image.id, .fd = -1, .data = push->image.config, .size = (int64_t)strlen(push->image.config)};
    return is_there || blob_send(push->session, push->session->transport, &upload, NULL, err);
}

/* The manifest that the image came with, where it names the very blobs that the registry has now. */
static bool find_own_manifest(struct push *push, struct strbuf *body, char **media_type)
{
    _cleanup_strlist_ struct strlist digests = {0};
    if (!image_manifests(push->registry->store, push->image.id, &digests, NULL))
        return false;
    for (size_t i = 0; i < digests.count; i++) {
        struct manifest manifest = {0};
        strbuf_truncate(body, 0);
        if (!blob_read(push->registry->store, digests.items[i], MAX_MANIFEST, body, NULL) ||
            !record_parse(&manifest_type, strbuf_text(body), body->length, &manifest, NULL))
            continue;
        bool is_same = manifest.layers.count == push->count && string_equal(manifest.config.digest, push->image.id);
        for (size_t l = 0; is_same && l < push->count; l++)
            is_same = string_equal(RECORD_AT(manifest.layers, struct descriptor, l)->digest, push->layers[l].digest);
        if (is_same)
            *media_type = xstrdup(string_is_set(manifest.media_type) ? manifest.media_type : MEDIA_TYPE_OCI_MANIFEST);
        record_release(&manifest_type, &manifest);
        if (is_same)
            return true;
    }
    strbuf_truncate(body, 0);
    return false;
}

static const char *docker_media_type(const char *media_type)
{
    if (string_ends_with(media_type, "zstd"))
        return MEDIA_TYPE_OCI_LAYER_ZSTD;
    return string_ends_with(media_type, ".tar") ? "application/vnd.docker.image.rootfs.diff.tar"
                                                : MEDIA_TYPE_DOCKER_LAYER;
}

/* Byte for byte as Docker's client library writes it: an indentation of three spaces. */
static void make_manifest(const struct push *push, struct strbuf *body)
{
    strbuf_addf(
        body,
        "{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"%s\",\n   \"config\": {\n      \"mediaType\": \"%s\",\n"
        "      \"size\": %zu,\n      \"digest\": \"%s\"\n   },\n   \"layers\": [",
        MEDIA_TYPE_DOCKER_MANIFEST, MEDIA_TYPE_DOCKER_CONFIG, strlen(push->image.config), push->image.id);
    for (size_t i = 0; i < push->count; i++)
        strbuf_addf(
            body,
            "%s\n      {\n         \"mediaType\": \"%s\",\n         \"size\": %lld,\n         \"digest\": \"%s\"\n"
            "      }",
            i ? "," : "", docker_media_type(push->layers[i].media_type), (long long)push->layers[i].size,
            push->layers[i].digest);
    strbuf_add_string(body, push->count ? "\n   ]\n}" : "]\n}");
}

static bool put_manifest(struct session *session, const char *what, const char *media_type, const char *body,
                         size_t length, struct error *err)
{
    _cleanup_free_ char *url = session_url(session, "manifests/%s", what);
    struct transfer_request request = {.method = "PUT", .url = url, .data = body, .length = length};
    strlist_addf(&request.headers, "Content-Type: %s", media_type);
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, session->transport, &request, err);
    strlist_release(&request.headers);
    return transfer && (transfer_status(transfer) / 100 == 2 || session_refused(transfer, err));
}

static bool push_manifest(struct push *push, struct error *err)
{
    struct store *store = push->registry->store;
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    _cleanup_free_ char *media_type = NULL, *digest = NULL;
    const char *tag = push->reference->tag;
    if (!find_own_manifest(push, &body, &media_type)) {
        media_type = xstrdup(MEDIA_TYPE_DOCKER_MANIFEST);
        make_manifest(push, &body);
    }
    if (!put_manifest(push->session, tag, media_type, strbuf_text(&body), body.length, err) ||
        !blob_put(store, strbuf_text(&body), body.length, &digest, err))
        return false;
    _cleanup_free_ char *name = xasprintf("%s@%s", push->repository, digest);
    if (!image_add_digest(store, push->image.id, name, true, err))
        return false;
    _cleanup_free_ char *text = xasprintf("%s: digest: %s size: %zu", tag, digest, body.length);
    tell_message(&push->teller, NULL, text);
    tell(&push->teller, json_pack("{s:{}, s:{s:s, s:s, s:I}}", "progressDetail", "aux", "Tag", tag, "Digest", digest,
                                  "Size", (json_int_t)body.length));
    return true;
}

static bool run(struct push *push, const char *image_id, struct error *err)
{
    if (!image_get(push->registry->store, image_id, &push->image, err))
        return false;
    push->count = push->image.parsed.rootfs.diff_ids.count;
    push->layers = xcalloc(push->count + 1, sizeof(*push->layers));
    push->session =
        session_open(push->registry, &push->inner, push->reference->domain, push->reference->path, "pull,push", 0, err);
    return push->session && push_layers(push, err) && push_config(push, err) && push_manifest(push, err);
}

bool registry_push(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                   const char *image_id, struct error *err)
{
    struct push *push = NEW(struct push);
    push->registry = registry;
    push->reference = reference;
    push->repository = reference_full_name(reference);
    push->call = call;
    push->inner = (struct registry_call){
        .auth = call->auth, .is_cancelled = push_is_cancelled, .progress = push_progress, .context = push};
    pthread_mutex_init(&push->lock, NULL);
    teller_init(&push->teller, &push->inner);
    store_hold(registry->store);
    struct error why = ERROR_INIT;
    bool is_done = run(push, image_id, &why);
    push_release(push);
    free(push);
    store_release(registry->store);
    layer_collect(registry->store, NULL); /* plain blobs that became compressed ones */
    return is_done || error_move(err, &why);
}

static bool mount_all(struct session *session, const struct strmap *mounts, struct error *err)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const char *digest = mounts->items[i].key;
        _cleanup_free_ char *location = NULL;
        bool is_there = false;
        if (!blob_is_there(session, session->transport, digest, &is_there, err) ||
            (!is_there &&
             !blob_mount(session, session->transport, digest, mounts->items[i].value, &is_there, &location, err)))
            return false;
        if (!is_there)
            return error_set(err, ERROR_INTERNAL, "the registry did not mount blob %s from %s", digest,
                             mounts->items[i].value);
    }
    return true;
}

bool registry_put_manifest(struct registry *registry, const struct registry_call *call,
                           const struct reference *reference, const char *media_type, const char *body, size_t length,
                           const struct strmap *mounts, char **digest, struct error *err)
{
    _cleanup_(session_closep) struct session *session =
        session_open(registry, call, reference->domain, reference->path, "pull,push", 0, err);
    const char *what = reference->digest ? reference->digest : reference->tag;
    if (!session || !mount_all(session, mounts, err) || !put_manifest(session, what, media_type, body, length, err))
        return false;
    struct digester *digester = digester_new();
    digester_add(digester, body, length);
    *digest = digester_finish(digester);
    digester_free(digester);
    return true;
}
