#include "distribution/upstream.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "distribution/manifest_check.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "registry/registry.h"
#include "registry/session.h"
#include "store/digest.h"

#define MAX_PASSWORD ((size_t)4096)
#define MAX_LIST     ((size_t)16 << 20)

/* A blob that some request is fetching: others that want it wait. */
struct arrival {
    const char *digest;
    struct arrival *next;
};

struct upstream {
    struct registry *registry;
    struct registry_auth auth;
    struct registry_call call;
    char *domain;
    int64_t age;
    int64_t deadline; /* 0: none; atomic */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct arrival *arrivals; /* under the lock */
};

static bool read_password(const char *path, char **out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, MAX_PASSWORD, &text, err))
        return false;
    *out = strbuf_take(&text);
    (*out)[strcspn(*out, "\r\n")] = '\0';
    return true;
}

static bool is_over(void *context)
{
    int64_t deadline = __atomic_load_n(&((struct upstream *)context)->deadline, __ATOMIC_RELAXED);
    return deadline && clock_monotonic() > deadline;
}

void upstream_end_at(struct upstream *upstream, int64_t deadline)
{
    if (upstream)
        __atomic_store_n(&upstream->deadline, deadline, __ATOMIC_RELAXED);
}

struct upstream *upstream_new(const struct settings *settings, struct error *err)
{
    const char *host = strstr(settings->upstream, "://") + 3;
    if (strchr(host, '/')) {
        error_set(err, ERROR_INVALID, "--upstream %s: a registry's URL has no path", settings->upstream);
        return NULL;
    }
    struct upstream *upstream = NEW(struct upstream);
    pthread_mutex_init(&upstream->lock, NULL);
    pthread_cond_init(&upstream->ended, NULL);
    upstream->domain = xstrdup(string_equal(host, "registry-1.docker.io") ? "docker.io" : host);
    upstream->age = settings->upstream_age;
    upstream->call = (struct registry_call){.auth = &upstream->auth, .is_cancelled = is_over, .context = upstream};
    struct registry_options options = {0};
    if (string_starts_with(settings->upstream, "http://"))
        strlist_add(&options.insecure, upstream->domain);
    upstream->registry = registry_new(NULL, &options);
    strlist_release(&options.insecure);
    upstream->auth.username = xstrdup(settings->upstream_user);
    if (!settings->upstream_password_file ||
        read_password(settings->upstream_password_file, &upstream->auth.password, err))
        return upstream;
    upstream_free(upstream);
    return NULL;
}

void upstream_free(struct upstream *upstream)
{
    if (!upstream)
        return;
    registry_free(upstream->registry);
    registry_auth_release(&upstream->auth);
    pthread_cond_destroy(&upstream->ended);
    pthread_mutex_destroy(&upstream->lock);
    free(upstream->domain);
    free(upstream);
}

/* Sends GET or HEAD of /v2/<name>/<rest>; the answer is 200, or there is an error. */
static struct transfer *ask(struct session *session, const char *method, const char *rest, bool is_manifest,
                            struct error *err)
{
    static const char *const types[] = {MEDIA_TYPE_OCI_MANIFEST, MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_DOCKER_MANIFEST,
                                        MEDIA_TYPE_DOCKER_LIST};
    _cleanup_free_ char *url = session_url(session, "%s", rest);
    struct transfer_request request = {.method = method, .url = url};
    for (size_t i = 0; is_manifest && i < ARRAY_SIZE(types); i++)
        strlist_addf(&request.headers, "Accept: %s", types[i]);
    struct transfer *transfer = session_send(session, session->transport, &request, err);
    strlist_release(&request.headers);
    if (!transfer || transfer_status(transfer) == 200)
        return transfer;
    session_refused(transfer, err);
    transfer_close(transfer);
    return NULL;
}

static struct session *open_session(struct upstream *upstream, const char *name, struct error *err)
{
    return session_open(upstream->registry, &upstream->call, upstream->domain, name, "pull", 0, err);
}

/* --- manifests --- */

static char *digest_of(const struct strbuf *body)
{
    _cleanup_(digester_freep) struct digester *digester = digester_new();
    digester_add(digester, strbuf_text(body), body->length);
    return digester_finish(digester);
}

static bool fetch_manifest_into(struct distribution *distribution, struct session *session, const char *name,
                                const char *reference, struct manifest_entry *out, struct error *err)
{
    _cleanup_free_ char *rest = xasprintf("manifests/%s", reference);
    _cleanup_(transfer_closep) struct transfer *transfer = ask(session, "GET", rest, true, err);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    _cleanup_checked_manifest_ struct checked_manifest manifest = {0};
    if (!transfer || !transfer_read_all(transfer, MAX_MANIFEST, &body, err) ||
        !manifest_check(transfer_header(transfer, "content-type"), strbuf_text(&body), body.length, &manifest, err))
        return false;
    bool is_digest = strchr(reference, ':') != NULL;
    manifest.entry.digest = digest_of(&body);
    manifest.entry.body = body;
    body = STRBUF_INIT;
    if (is_digest && strcmp(manifest.entry.digest, reference) != 0)
        return error_set(err, ERROR_INTERNAL, "the upstream's manifest is not %s", reference);
    if (!ledger_put_manifest(distribution->ledger, name, &manifest.entry, &manifest.children, NULL,
                             is_digest ? NULL : reference, &distribution->settings->quota, err))
        return false;
    manifest_entry_release(out);
    *out = manifest.entry;
    manifest.entry = (struct manifest_entry){0};
    return true;
}

/* Does the tag still mean what is here? */
static bool is_up_to_date(struct session *session, const char *tag, const struct manifest_entry *entry,
                          struct error *err)
{
    _cleanup_free_ char *rest = xasprintf("manifests/%s", tag);
    _cleanup_(transfer_closep) struct transfer *transfer = ask(session, "HEAD", rest, true, err);
    return transfer && string_equal(transfer_header(transfer, "docker-content-digest"), entry->digest);
}

/* Asks the upstream; *out is what is here, or empty. */
static bool renew(struct distribution *distribution, const char *name, const char *reference,
                  struct manifest_entry *out, struct error *err)
{
    _cleanup_(session_closep) struct session *session = open_session(distribution->upstream, name, err);
    if (!session)
        return false;
    if (out->digest && is_up_to_date(session, reference, out, err))
        return ledger_touch_tag(distribution->ledger, name, reference, err);
    if (err->kind != ERROR_NONE)
        return false;
    return fetch_manifest_into(distribution, session, name, reference, out, err);
}

bool upstream_manifest(struct distribution *distribution, const char *name, const char *reference,
                       struct manifest_entry *out, struct error *err)
{
    _cleanup_error_ struct error failure = ERROR_INIT;
    bool is_here = ledger_get_manifest(distribution->ledger, name, reference, out, &failure);
    if (!is_here && failure.kind != ERROR_NOT_FOUND)
        return error_move(err, &failure);
    error_release(&failure);
    bool is_current = is_here && (strchr(reference, ':') || clock_now() - out->updated < distribution->upstream->age);
    count_add(is_current ? &distribution->counters.cache_hits : &distribution->counters.cache_misses, 1);
    if (is_current || renew(distribution, name, reference, out, &failure))
        return true;
    if (failure.kind == ERROR_NOT_FOUND || !is_here)
        return error_move(err, &failure);
    log_and_release(LOG_LEVEL_WARNING, &failure, "%s:%s is served as it was, because the upstream does not answer",
                    name, reference);
    return true;
}

/* --- blobs --- */

static bool begin_arrival(struct upstream *upstream, struct arrival *arrival)
{
    pthread_mutex_lock(&upstream->lock);
    bool has_waited = false;
    for (struct arrival *other = upstream->arrivals; other;) {
        if (strcmp(other->digest, arrival->digest) != 0) {
            other = other->next;
            continue;
        }
        has_waited = true;
        pthread_cond_wait(&upstream->ended, &upstream->lock);
        other = upstream->arrivals;
    }
    arrival->next = upstream->arrivals;
    upstream->arrivals = arrival;
    pthread_mutex_unlock(&upstream->lock);
    return has_waited;
}

static void end_arrival(struct upstream *upstream, struct arrival *arrival)
{
    pthread_mutex_lock(&upstream->lock);
    struct arrival **place = &upstream->arrivals;
    while (*place != arrival)
        place = &(*place)->next;
    *place = arrival->next;
    pthread_cond_broadcast(&upstream->ended);
    pthread_mutex_unlock(&upstream->lock);
}

struct placing {
    struct content *content;
    struct upload *upload;
    const char *digest;
};

static bool place(void *context, struct error *err)
{
    struct placing *placing = context;
    return upload_place(placing->content, placing->upload, placing->digest, err);
}

/* Blob bytes on their way: kept, and given to the client one buffer later, so that a client of bytes that turn out to
   be wrong never has all of them. */
struct relay {
    struct call *call;
    struct upload *upload;
    char *buffers[2];
    size_t held; /* bytes in buffers[1] that the client does not have yet */
    bool is_streaming;
};

static void give(struct relay *relay)
{
    if (relay->is_streaming && relay->held > 0) {
        count_add(&relay->call->distribution->counters.sent, (int64_t)relay->held);
        relay->is_streaming = http_exchange_write(relay->call->exchange, relay->buffers[1], relay->held);
    }
    relay->held = 0;
}

static bool pump(struct relay *relay, struct transfer *transfer, struct error *err)
{
    struct content *content = relay->call->distribution->content;
    for (;;) {
        ssize_t count = transfer_read(transfer, relay->buffers[0], BUFFER_SIZE, err);
        if (count <= 0)
            return count == 0;
        give(relay);
        if (!upload_write(content, relay->upload, relay->buffers[0], (size_t)count, err))
            return false;
        char *full = relay->buffers[0];
        relay->buffers[0] = relay->buffers[1];
        relay->buffers[1] = full;
        relay->held = (size_t)count;
    }
}

/* The digest is right and the blob is kept; or false. */
static bool keep(struct call *call, struct upload *upload, struct error *err)
{
    struct distribution *distribution = call->distribution;
    const char *wanted = call->route.last;
    _cleanup_free_ char *digest = upload_seal(distribution->content, upload, err);
    if (!digest)
        return false;
    if (strcmp(digest, wanted) != 0)
        return error_set(err, ERROR_INTERNAL, "the upstream's blob is not %s but %s", wanted, digest);
    struct placing placing = {distribution->content, upload, digest};
    struct error full = ERROR_INIT;
    if (!ledger_add_blob(distribution->ledger, call->route.name, digest, upload->size, &distribution->settings->quota,
                         place, &placing, &full) ||
        !content_sync(distribution->content, &full))
        log_and_release(LOG_LEVEL_WARNING, &full, "blob %s is given on and not kept", digest);
    return true;
}

static bool content_length_of(const struct transfer *transfer, int64_t *length)
{
    const char *text = transfer_header(transfer, "content-length");
    return text && parse_int64(text, length) && *length >= 0;
}

static bool fetch_blob_through(struct call *call, struct session *session, bool streams, struct error *err)
{
    struct distribution *distribution = call->distribution;
    _cleanup_free_ char *rest = xasprintf("blobs/%s", call->route.last);
    _cleanup_(transfer_closep) struct transfer *transfer = ask(session, "GET", rest, false, err);
    int64_t length;
    if (!transfer)
        return false;
    struct relay relay = {.call = call, .upload = upload_begin(distribution->content, call->route.name, err)};
    if (!relay.upload)
        return false;
    relay.buffers[0] = xmalloc(BUFFER_SIZE);
    relay.buffers[1] = xmalloc(BUFFER_SIZE);
    if (streams && content_length_of(transfer, &length)) {
        call_header(call, "Docker-Content-Digest", call->route.last);
        call->status = 200;
        relay.is_streaming = http_exchange_begin_length(call->exchange, 200, "application/octet-stream", length);
    }
    bool is_done = pump(&relay, transfer, err) && keep(call, relay.upload, err);
    if (is_done)
        give(&relay);
    else if (call->status)
        http_exchange_abort(call->exchange);
    upload_remove(distribution->content, relay.upload);
    free(relay.buffers[0]);
    free(relay.buffers[1]);
    return is_done;
}

static void answer_upstream_error(struct call *call, struct error *err)
{
    _cleanup_free_ char *detail = xasprintf("{\"digest\":\"%s\"}", call->route.last);
    if (err->kind == ERROR_NOT_FOUND)
        answer_refusal(call, 404, "BLOB_UNKNOWN", "blob unknown to registry", detail);
    else if (err->kind == ERROR_DENIED || err->kind == ERROR_UNAUTHORIZED)
        answer_refusal(call, 403, "DENIED", error_message(err), detail);
    else
        answer_refusal(call, 502, "UNKNOWN", error_message(err), detail);
    error_release(err);
}

static bool answer_from_content(struct call *call)
{
    int64_t size;
    struct distribution *distribution = call->distribution;
    if (!ledger_find_blob(distribution->ledger, call->route.name, call->route.last, &size, NULL))
        return false;
    _cleanup_close_ int fd = content_open_blob(distribution->content, call->route.last, &size, NULL);
    if (fd < 0)
        return false;
    answer_blob(call, call->route.last, fd, size);
    return true;
}

static void head_blob(struct call *call, struct session *session)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_free_ char *rest = xasprintf("blobs/%s", call->route.last);
    _cleanup_(transfer_closep) struct transfer *transfer = ask(session, "HEAD", rest, false, &err);
    int64_t length = 0;
    if (!transfer) {
        answer_upstream_error(call, &err);
        return;
    }
    content_length_of(transfer, &length);
    call_header(call, "Docker-Content-Digest", call->route.last);
    answer(call, 200, "application/octet-stream", NULL, (size_t)length);
}

void upstream_serve_blob(struct call *call)
{
    struct upstream *upstream = call->distribution->upstream;
    _cleanup_error_ struct error err = ERROR_INIT;
    struct arrival arrival = {.digest = call->route.last};
    bool is_head = call_is(call, "HEAD");
    count_add(&call->distribution->counters.cache_misses, 1);
    if (!is_head && begin_arrival(upstream, &arrival) && answer_from_content(call)) {
        end_arrival(upstream, &arrival);
        return;
    }
    _cleanup_(session_closep) struct session *session = open_session(upstream, call->route.name, &err);
    /* A part of a blob comes from the disk, once the whole is there. */
    bool streams = !strmap_get(&call->exchange->head.headers, "range");
    if (!session)
        answer_upstream_error(call, &err);
    else if (is_head)
        head_blob(call, session);
    else if (!fetch_blob_through(call, session, streams, &err) && !call->status)
        answer_upstream_error(call, &err);
    else if (err.kind != ERROR_NONE)
        log_and_release(LOG_LEVEL_ERROR, &err, "blob %s", call->route.last);
    else if (!call->status && !answer_from_content(call))
        answer_refusal(call, 502, "UNKNOWN", "the blob could not be kept", NULL);
    if (!is_head)
        end_arrival(upstream, &arrival);
}

/* --- tags --- */

void upstream_serve_tags(struct call *call)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_(session_closep) struct session *session =
        open_session(call->distribution->upstream, call->route.name, &err);
    _cleanup_free_ char *rest = xasprintf("tags/list%s%s", *call->exchange->query ? "?" : "", call->exchange->query);
    _cleanup_(transfer_closep) struct transfer *transfer = session ? ask(session, "GET", rest, false, &err) : NULL;
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    if (transfer && transfer_read_all(transfer, MAX_LIST, &body, &err)) {
        const char *link = transfer_header(transfer, "link");
        /* Its path is the same here; a whole URL would lead past us. */
        if (link && string_starts_with(link, "</"))
            call_header(call, "Link", link);
        answer_json(call, 200, &body);
    } else if (err.kind == ERROR_NOT_FOUND) {
        answer_refusal(call, 404, "NAME_UNKNOWN", "repository name not known to registry", NULL);
    } else {
        answer_refusal(call, 502, "UNKNOWN", error_message(&err), NULL);
    }
}
