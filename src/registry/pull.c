/* Pull: manifest (through an index, by platform), config, then the layers that are not there, several at a time; at the
   end the image and its names come into the database together. */
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "registry/registry_internal.h"
#include "store/blob.h"
#include "store/internal.h"
#include "store/layer.h"
#include "store/limit.h"
#include "json/json_record.h"

#define MAX_TAGS_TEXT ((size_t)16 << 20)

struct pull {
    struct registry *registry;
    struct session *session;
    struct teller teller;
    const struct reference *reference;
    const struct platform *platform;
    struct fetched_manifest index; /* body.length == 0: there is none */
    struct fetched_manifest fetched;
    struct manifest manifest;
    struct strbuf config;
    struct image_config parsed;

    atomic_size_t next; /* layer to be taken by a thread */
    bool *is_missing;
    pthread_mutex_t lock; /* of the error */
    atomic_bool has_failed;
    struct error err;
    const struct registry_call *call;
    struct registry_call inner; /* for session and layers: ends them all once one has failed */
};

static void pull_release(struct pull *pull)
{
    session_close(pull->session);
    teller_release(&pull->teller);
    fetched_manifest_release(&pull->index);
    fetched_manifest_release(&pull->fetched);
    record_release(&manifest_type, &pull->manifest);
    strbuf_release(&pull->config);
    record_release(&image_config_type, &pull->parsed);
    free(pull->is_missing);
    pthread_mutex_destroy(&pull->lock);
    error_release(&pull->err);
}

/* --- the manifest --- */

static bool is_index(const struct fetched_manifest *manifest, const json_t *json)
{
    return media_type_is_index(manifest->media_type) ||
           (!string_is_set(manifest->media_type) && json_is_array(json_object_get(json, "manifests")));
}

static bool choose(struct pull *pull, const json_t *json, struct error *err)
{
    struct index index = {0};
    if (!record_from_json(&index_type, json, &index, err))
        return false;
    const struct descriptor *chosen = index_choose(&index, pull->platform);
    bool is_done = chosen && digest_is_valid(chosen->digest);
    if (is_done) {
        pull->index = pull->fetched;
        pull->fetched = (struct fetched_manifest){0};
        is_done = fetch_manifest(pull->session, chosen->digest, &pull->fetched, err);
    } else {
        const struct platform *wanted = pull->platform;
        error_set(err, ERROR_NOT_FOUND, "no matching manifest for %s/%s%s%s in the manifest list entries", wanted->os,
                  wanted->architecture, string_is_set(wanted->variant) ? "/" : "", string_or_empty(wanted->variant));
    }
    record_release(&index_type, &index);
    return is_done;
}

static bool parse_manifest(struct pull *pull, struct error *err)
{
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&pull->fetched.body), pull->fetched.body.length, err);
    if (!json)
        return false;
    if (is_index(&pull->fetched, json)) {
        if (!choose(pull, json, err))
            return false;
        json_decref(json);
        json = json_parse(strbuf_text(&pull->fetched.body), pull->fetched.body.length, err);
        if (!json)
            return false;
    }
    if (json_integer_value(json_object_get(json, "schemaVersion")) != 2)
        return error_set(err, ERROR_INVALID,
                         "[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 "
                         "support is disabled by default and will be removed in an upcoming release");
    if (!record_from_json(&manifest_type, json, &pull->manifest, err))
        return false;
    const char *type = string_or_empty(pull->manifest.config.media_type);
    if (strcmp(type, MEDIA_TYPE_DOCKER_CONFIG) != 0 && strcmp(type, MEDIA_TYPE_OCI_CONFIG) != 0)
        return error_set(err, ERROR_INVALID, "Encountered remote \"%s\"(%s) when fetching", type,
                         string_is_set(type) ? "unknown" : "none");
    return true;
}

/* Docker's wording of what a registry refuses (distribution/errors.go). */
static bool translate(const struct reference *reference, struct error *err)
{
    _cleanup_free_ char *name = reference_familiar_name(reference);
    if (err->kind == ERROR_DENIED) {
        err->kind = ERROR_NOT_FOUND;
        return error_prefix(err, "pull access denied for %s, repository does not exist or may require 'docker login'",
                            name);
    }
    if (string_starts_with(error_message(err), "manifest unknown")) {
        _cleanup_free_ char *text = reference_familiar(reference);
        return error_prefix(err, "manifest for %s not found", text);
    }
    if (string_starts_with(error_message(err), "name unknown"))
        return error_prefix(err, "repository %s not found", name);
    if (err->kind == ERROR_UNAUTHORIZED || err->kind == ERROR_UNAVAILABLE)
        err->kind = ERROR_INTERNAL;
    return false;
}

static bool find_manifest(struct pull *pull, struct error *err)
{
    const char *what = pull->reference->digest ? pull->reference->digest : pull->reference->tag;
    size_t start = 0;
    for (;;) {
        pull->session = session_open(pull->registry, &pull->inner, pull->reference->domain, pull->reference->path,
                                     "pull", start, err);
        if (!pull->session)
            return false;
        if (fetch_manifest(pull->session, what, &pull->fetched, err))
            return true;
        if (!pull->session->is_mirror || err->kind == ERROR_CANCELLED)
            return translate(pull->reference, err);
        start = pull->session->position + 1;
        session_close(TAKE_PTR(pull->session));
    }
}

static bool fetch_config(struct pull *pull, struct error *err)
{
    if (!fetch_blob(pull->session, &pull->manifest.config, MAX_CONFIG, &pull->config, err))
        return false;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&pull->config), pull->config.length, err);
    if (!json || !record_from_json(&image_config_type, json, &pull->parsed, err))
        return false;
    if (!json_is_object(json_object_get(json, "rootfs")))
        return error_set(err, ERROR_INVALID, "invalid image JSON, no RootFS key");
    const struct strlist *diff_ids = &pull->parsed.rootfs.diff_ids;
    if (string_is_set(pull->parsed.os) && strcmp(pull->parsed.os, "linux") != 0)
        return error_set(err, ERROR_INVALID,
                         "image operating system \"%s\" cannot be used on this platform: operating system is not "
                         "supported",
                         pull->parsed.os);
    if (diff_ids->count != pull->manifest.layers.count)
        return error_set(err, ERROR_INVALID, "layers from manifest don't match image configuration");
    if (diff_ids->count > LAYERS_PER_IMAGE_MAX)
        return error_set(err, ERROR_INVALID, "max depth exceeded");
    for (size_t i = 0; i < diff_ids->count; i++) {
        const struct descriptor *layer = RECORD_AT(pull->manifest.layers, struct descriptor, i);
        if (!digest_is_valid(diff_ids->items[i]) || !digest_is_valid(layer->digest) || layer->size < 0)
            return error_set(err, ERROR_INVALID, "unsupported digest or size of layer %zu", i);
    }
    return true;
}

/* --- the layers --- */

static void fail(struct pull *pull, struct error *why)
{
    pthread_mutex_lock(&pull->lock);
    if (!atomic_exchange(&pull->has_failed, true))
        error_move(&pull->err, why);
    else
        error_release(why);
    pthread_mutex_unlock(&pull->lock);
}

static void *layer_thread(void *context)
{
    struct pull *pull = context;
    size_t count = pull->manifest.layers.count;
    for (size_t i; !pull->has_failed && (i = atomic_fetch_add(&pull->next, 1)) < count;) {
        if (!pull->is_missing[i])
            continue;
        struct error why = ERROR_INIT;
        if (!download_layer(pull->session, &pull->teller, RECORD_AT(pull->manifest.layers, struct descriptor, i),
                            pull->parsed.rootfs.diff_ids.items[i], &why))
            fail(pull, &why);
    }
    return NULL;
}

/* One that failed ends the others. */
static bool pull_is_cancelled(void *context)
{
    struct pull *pull = context;
    return pull->has_failed || call_is_cancelled(pull->call);
}

static void pull_progress(void *context, json_t *message)
{
    struct pull *pull = context;
    if (pull->call->progress && !pull->has_failed)
        pull->call->progress(pull->call->context, message);
    else
        json_decref(message);
}

static size_t find_missing(struct pull *pull)
{
    size_t missing = 0;
    pull->is_missing = xcalloc(pull->manifest.layers.count + 1, sizeof(*pull->is_missing));
    for (size_t i = 0; i < pull->manifest.layers.count; i++) {
        const struct descriptor *layer = RECORD_AT(pull->manifest.layers, struct descriptor, i);
        _cleanup_free_ char *id = digest_short(layer->digest);
        pull->is_missing[i] = !layer_exists(pull->registry->store, pull->parsed.rootfs.diff_ids.items[i]);
        missing += pull->is_missing[i];
    }
    /* Docker says nothing of the layers of an image that is there as a whole. */
    for (size_t i = 0; missing > 0 && i < pull->manifest.layers.count; i++) {
        const struct descriptor *layer = RECORD_AT(pull->manifest.layers, struct descriptor, i);
        _cleanup_free_ char *id = digest_short(layer->digest);
        tell_state(&pull->teller, id, pull->is_missing[i] ? "Pulling fs layer" : "Already exists");
    }
    size_t started = 0;
    for (size_t i = 0; i < pull->manifest.layers.count; i++) {
        const struct descriptor *layer = RECORD_AT(pull->manifest.layers, struct descriptor, i);
        _cleanup_free_ char *id = digest_short(layer->digest);
        if (pull->is_missing[i] && ++started > (size_t)pull->registry->options.max_downloads)
            tell_state(&pull->teller, id, "Waiting");
    }
    return missing;
}

/* As early as possible: the blobs alone are this much. */
static bool check_room(struct pull *pull, struct error *err)
{
    int64_t size = 0;
    for (size_t i = 0; i < pull->manifest.layers.count; i++)
        if (pull->is_missing[i])
            size += RECORD_AT(pull->manifest.layers, struct descriptor, i)->size;
    return !size || store_check_room(pull->registry->store, size, err);
}

static bool fetch_layers(struct pull *pull, struct error *err)
{
    size_t missing = find_missing(pull);
    if (!check_room(pull, err))
        return false;
    size_t wanted = MIN(missing, (size_t)pull->registry->options.max_downloads), started = 0;
    pthread_t *threads = xcalloc(wanted + 1, sizeof(*threads));
    /* This thread is the first of them. */
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, layer_thread, pull) == 0)
        started++;
    if (wanted > 0)
        layer_thread(pull);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return !pull->has_failed || error_move(err, &pull->err);
}

/* --- the image --- */

static bool remember_sources(struct pull *pull, struct error *err)
{
    _cleanup_free_ char *name = reference_full_name(pull->reference);
    for (size_t i = 0; i < pull->manifest.layers.count; i++) {
        const struct descriptor *layer = RECORD_AT(pull->manifest.layers, struct descriptor, i);
        struct layer_source source = {name, layer->digest, layer->size,
                                      (char *)(uintptr_t)string_or_empty(layer->media_type)};
        if (!layer_source_add(pull->registry->store, pull->parsed.rootfs.diff_ids.items[i], &source, err))
            return false;
    }
    return true;
}

static bool put(struct store *store, const struct fetched_manifest *manifest, struct error *err)
{
    char *digest = NULL;
    bool is_put = blob_put(store, strbuf_text(&manifest->body), manifest->body.length, &digest, err);
    free(digest);
    return is_put;
}

static const char *name_digest(const struct pull *pull)
{
    return pull->index.body.length > 0 ? pull->index.digest : pull->fetched.digest;
}

static bool create(struct pull *pull, char **id, struct error *err)
{
    struct store *store = pull->registry->store;
    _cleanup_free_ char *name = reference_full_name(pull->reference);
    struct image_creation creation = {.config = strbuf_text(&pull->config), .config_length = pull->config.length};
    if (!put(store, &pull->fetched, err) || (pull->index.body.length > 0 && !put(store, &pull->index, err)))
        return false;
    if (!pull->reference->digest)
        strlist_addf(&creation.references, "%s:%s", name, pull->reference->tag);
    strlist_addf(&creation.references, "%s@%s", name, name_digest(pull));
    strlist_add(&creation.manifests, pull->fetched.digest);
    bool is_done = image_create(store, &creation, 1, id, NULL, err) && remember_sources(pull, err);
    strlist_release(&creation.references);
    strlist_release(&creation.manifests);
    return is_done;
}

/* Has the name that is pulled this image already? */
static bool is_known(struct pull *pull)
{
    _cleanup_free_ char *name = reference_full_name(pull->reference);
    _cleanup_free_ char *text = pull->reference->digest ? xasprintf("%s@%s", name, pull->reference->digest)
                                                        : xasprintf("%s:%s", name, pull->reference->tag);
    _cleanup_image_ struct image image = {0};
    return image_get(pull->registry->store, text, &image, NULL) && string_equal(image.id, pull->manifest.config.digest);
}

static bool run(struct pull *pull, char **id, bool *is_new, struct error *err)
{
    if (!find_manifest(pull, err))
        return false;
    const char *shown = pull->reference->digest ? pull->reference->digest : pull->reference->tag;
    _cleanup_free_ char *whole = pull->reference->digest ? reference_familiar(pull->reference) : NULL;
    _cleanup_free_ char *status = xasprintf("Pulling from %s", pull->reference->path);
    tell_message(&pull->teller, whole ? whole : shown, status);
    if (!parse_manifest(pull, err) || !fetch_config(pull, err))
        return false;
    *is_new = !is_known(pull);
    if (!fetch_layers(pull, err) || !create(pull, id, err))
        return false;
    _cleanup_free_ char *digest = xasprintf("Digest: %s", name_digest(pull));
    tell_message(&pull->teller, NULL, digest);
    return true;
}

bool registry_pull(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                   const struct platform *platform, char **id, bool *is_new, struct error *err)
{
    struct pull *pull = NEW(struct pull);
    pull->registry = registry;
    pull->reference = reference;
    pull->platform = platform;
    pull->call = call;
    pull->inner = (struct registry_call){
        .auth = call->auth, .is_cancelled = pull_is_cancelled, .progress = pull_progress, .context = pull};
    pthread_mutex_init(&pull->lock, NULL);
    teller_init(&pull->teller, &pull->inner);
    store_hold(registry->store);
    struct error why = ERROR_INIT;
    bool is_done = run(pull, id, is_new, &why);
    pull_release(pull);
    free(pull);
    store_release(registry->store);
    if (is_done)
        return true;
    layer_collect(registry->store, NULL);
    return error_move(err, &why);
}

bool registry_tags(struct registry *registry, const struct registry_call *call, const struct reference *reference,
                   struct strlist *tags, struct error *err)
{
    _cleanup_(session_closep) struct session *session =
        session_open(registry, call, reference->domain, reference->path, "pull", 0, err);
    if (!session)
        return false;
    _cleanup_free_ char *url = session_url(session, "tags/list");
    struct transfer_request request = {.method = "GET", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, session->transport, &request, err);
    if (!transfer)
        return false;
    if (transfer_status(transfer) != 200)
        return session_refused(transfer, err) || translate(reference, err);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!transfer_read_all(transfer, MAX_TAGS_TEXT, &text, err))
        return false;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&text), text.length, err);
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(json, "tags"), i,
                       tag) if (json_is_string(tag) && tag_is_valid(json_string_value(tag)))
        strlist_add(tags, json_string_value(tag));
    return json != NULL;
}
