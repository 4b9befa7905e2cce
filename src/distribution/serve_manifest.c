/* /v2/<name>/manifests/<tag or digest>. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/call.h"
#include "distribution/manifest_check.h"
#include "distribution/upstream.h"
#include "oci/reference.h"
#include "store/digest.h"
#include "json/json_writer.h"

static void refuse_unknown(struct call *call)
{
    _cleanup_strbuf_ struct strbuf detail = STRBUF_INIT;
    struct json_writer writer = {.out = &detail};
    json_writer_begin(&writer, NULL, '{');
    json_writer_text(&writer, "name", call->route.name);
    json_writer_text(&writer, "reference", call->route.last);
    json_writer_end(&writer, '}');
    answer_refusal(call, 404, "MANIFEST_UNKNOWN", "manifest unknown", strbuf_text(&detail));
}

static void read_manifest(struct call *call)
{
    struct distribution *distribution = call->distribution;
    _cleanup_manifest_entry_ struct manifest_entry entry = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    const char *name = call->route.name, *reference = call->route.last;
    bool is_found = distribution->upstream ? upstream_manifest(distribution, name, reference, &entry, &err)
                                           : ledger_get_manifest(distribution->ledger, name, reference, &entry, &err);
    if (!is_found && err.kind == ERROR_NOT_FOUND) {
        refuse_unknown(call);
        return;
    }
    if (!is_found && distribution->upstream && err.kind != ERROR_DENIED && err.kind != ERROR_UNAUTHORIZED) {
        answer_refusal(call, 502, "UNKNOWN", error_message(&err), NULL);
        return;
    }
    if (!is_found) {
        answer_error(call, &err);
        return;
    }
    call_header(call, "Docker-Content-Digest", entry.digest);
    call_headerf(call, "ETag", "\"%s\"", entry.digest);
    if (answer_if_known(call, entry.digest))
        return;
    answer(call, 200, entry.media_type, strbuf_text(&entry.body), entry.body.length);
    if (call_is(call, "GET"))
        count_add(&distribution->counters.sent, (int64_t)entry.body.length);
}

/* --- PUT --- */

static bool read_body(struct call *call, struct strbuf *out)
{
    static const char too_large[] = "a manifest may have 4 MiB";
    out->limit = MAX_MANIFEST + 1;
    if (call->exchange->head.content_length > (int64_t)MAX_MANIFEST) {
        answer_refusal(call, 413, "SIZE_INVALID", too_large, NULL);
        return false;
    }
    for (;;) {
        size_t room = MIN(MAX_MANIFEST + 1 - out->length, (size_t)65536);
        strbuf_reserve(out, room);
        ssize_t count = call_read(call, out->data + out->length, room);
        if (count < 0) {
            answer_refusal(call, 408, "MANIFEST_INVALID", "the body ended before its announced length", NULL);
            return false;
        }
        out->length += (size_t)count;
        out->data[out->length] = '\0';
        if (count == 0)
            return true;
        if (out->length > MAX_MANIFEST) {
            answer_refusal(call, 413, "SIZE_INVALID", too_large, NULL);
            return false;
        }
    }
}

/* Is it in this repository, and as large as the manifest says? */
static bool child_is_there(struct call *call, const struct manifest_child *child, int64_t *size, struct error *err)
{
    struct distribution *distribution = call->distribution;
    struct error missing = ERROR_INIT;
    if (child->may_be_manifest) {
        if (ledger_find_manifest(distribution->ledger, call->route.name, child->digest, size, &missing))
            return true;
        if (missing.kind != ERROR_NOT_FOUND)
            return error_move(err, &missing);
        error_release(&missing);
    }
    if (!ledger_find_blob(distribution->ledger, call->route.name, child->digest, size, err))
        return false;
    return content_has_blob(distribution->content, child->digest, *size) ||
           error_set(err, ERROR_NOT_FOUND, "blob unknown to registry");
}

static bool children_are_there(struct call *call, const struct checked_manifest *manifest)
{
    for (size_t i = 0; i < manifest->needed_count; i++) {
        const struct manifest_child *child = &manifest->needed[i];
        struct error err = ERROR_INIT;
        int64_t size = 0;
        _cleanup_free_ char *detail = xasprintf("{\"digest\":\"%s\"}", child->digest);
        if (!child_is_there(call, child, &size, &err)) {
            if (err.kind == ERROR_NOT_FOUND)
                answer_refusal(call, 404, "MANIFEST_BLOB_UNKNOWN",
                               "manifest references a manifest or blob unknown to registry", detail);
            else
                answer_error(call, &err);
            error_release(&err);
            return false;
        }
        if (size != child->size) {
            _cleanup_free_ char *message = xasprintf("%s has %lld bytes, not %lld as the manifest says", child->digest,
                                                     (long long)size, (long long)child->size);
            answer_refusal(call, 400, "MANIFEST_INVALID", message, detail);
            return false;
        }
    }
    return true;
}

static char *digest_of(const struct strbuf *body)
{
    _cleanup_(digester_freep) struct digester *digester = digester_new();
    digester_add(digester, strbuf_text(body), body->length);
    return digester_finish(digester);
}

static void store(struct call *call, const struct checked_manifest *manifest, const char *tag)
{
    struct ledger *ledger = call->distribution->ledger;
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_strlist_ struct strlist needed = {0};
    const struct manifest_entry *entry = &manifest->entry;
    for (size_t i = 0; i < manifest->needed_count; i++)
        strlist_add(&needed, manifest->needed[i].digest);
    if (!ledger_put_manifest(ledger, call->route.name, entry, &manifest->children, &needed, tag,
                             &call->distribution->settings->quota, &err) ||
        !ledger_sync(ledger, &err)) {
        if (err.kind == ERROR_NOT_FOUND)
            answer_refusal(call, 404, "MANIFEST_BLOB_UNKNOWN", error_message(&err), NULL);
        else
            answer_error(call, &err);
        return;
    }
    call_headerf(call, "Location", "/v2/%s/manifests/%s", call->route.name, entry->digest);
    call_header(call, "Docker-Content-Digest", entry->digest);
    if (entry->subject)
        call_header(call, "OCI-Subject", entry->subject);
    answer(call, 201, NULL, "", 0);
}

static void put_manifest(struct call *call)
{
    const char *reference = call->route.last;
    bool is_digest = strchr(reference, ':') != NULL;
    if (is_digest ? !digest_is_valid(reference) : !tag_is_valid(reference)) {
        answer_refusal(call, 400, is_digest ? "DIGEST_INVALID" : "TAG_INVALID",
                       is_digest ? "invalid digest, or one of an unknown algorithm" : "invalid tag", NULL);
        return;
    }
    _cleanup_checked_manifest_ struct checked_manifest manifest = {0};
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    _cleanup_error_ struct error err = ERROR_INIT;
    if (!read_body(call, &body))
        return;
    if (!manifest_check(strmap_get(&call->exchange->head.headers, "content-type"), strbuf_text(&body), body.length,
                        &manifest, &err)) {
        answer_refusal(call, 400, "MANIFEST_INVALID", error_message(&err), NULL);
        return;
    }
    manifest.entry.digest = digest_of(&body);
    manifest.entry.body = body;
    body = STRBUF_INIT;
    if (is_digest && strcmp(manifest.entry.digest, reference) != 0) {
        answer_refusal(call, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", NULL);
        return;
    }
    if (children_are_there(call, &manifest))
        store(call, &manifest, is_digest ? NULL : reference);
}

static void delete_manifest(struct call *call)
{
    struct ledger *ledger = call->distribution->ledger;
    _cleanup_error_ struct error err = ERROR_INIT;
    const char *name = call->route.name, *reference = call->route.last;
    bool is_done = strchr(reference, ':') ? ledger_drop_manifest(ledger, name, reference, &err)
                                          : ledger_drop_tag(ledger, name, reference, &err);
    if (is_done && ledger_sync(ledger, &err))
        answer(call, 202, NULL, "", 0);
    else if (err.kind == ERROR_NOT_FOUND)
        refuse_unknown(call);
    else
        answer_error(call, &err);
}

void serve_manifest(struct call *call)
{
    if (call_reads(call))
        read_manifest(call);
    else if (call_is(call, "PUT"))
        put_manifest(call);
    else if (call_is(call, "DELETE"))
        delete_manifest(call);
    else
        answer_unsupported(call, "a manifest knows GET, HEAD, PUT and DELETE");
}
