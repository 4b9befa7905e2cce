/* Pushing blobs: /v2/<name>/blobs/uploads/ and what it gives out. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/call.h"
#include "distribution/range.h"
#include "oci/reference.h"

static void answer_place(struct call *call, int status, const struct upload *upload)
{
    call_headerf(call, "Location", "/v2/%s/blobs/uploads/%s", call->route.name, upload->id);
    call_header(call, "Docker-Upload-UUID", upload->id);
    call_headerf(call, "Range", "0-%lld", (long long)MAX(upload->size - 1, (int64_t)0));
    if (status != 416) {
        answer(call, status, NULL, "", 0);
        return;
    }
    _cleanup_free_ char *detail = xasprintf("{\"size\":%lld}", (long long)upload->size);
    answer_refusal(call, 416, "BLOB_UPLOAD_INVALID", "the chunk does not begin where the upload ends", detail);
}

static void answer_blob_place(struct call *call, const char *digest)
{
    call_headerf(call, "Location", "/v2/%s/blobs/%s", call->route.name, digest);
    call_header(call, "Docker-Content-Digest", digest);
    answer(call, 201, NULL, "", 0);
}

static void refuse_digest(struct call *call, const char *message)
{
    answer_refusal(call, 400, "DIGEST_INVALID", message, NULL);
}

/* --- the bytes --- */

enum outcome { TAKEN, REFUSED /* and answered */, BROKEN /* the client is gone or silent */ };

/* The body is added to the upload. What came before it broke off stays. */
static enum outcome take_body(struct call *call, struct upload *upload)
{
    struct distribution *distribution = call->distribution;
    const struct quota *quota = &distribution->settings->quota;
    int64_t announced = call->exchange->head.content_length, checked = 0;
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_free_ char *data = NULL;
    for (;;) {
        /* What is announced is checked at once; of a body without a length, every 16 MiB as they come. */
        int64_t more = upload->size + (announced > 0 && checked == 0 ? announced : 1);
        if ((checked == 0 || upload->size - checked >= (int64_t)16 << 20) &&
            !ledger_check_quota(distribution->ledger, call->route.name, quota, more, &err)) {
            answer_error(call, &err);
            return REFUSED;
        }
        checked = MAX(upload->size, (int64_t)1);
        if (!data)
            data = xmalloc(BUFFER_SIZE);
        ssize_t count = call_read(call, data, BUFFER_SIZE);
        if (count == 0)
            return TAKEN;
        if (count < 0)
            return BROKEN;
        if (!upload_write(distribution->content, upload, data, (size_t)count, &err)) {
            answer_error(call, &err);
            return REFUSED;
        }
    }
}

/* Content-Range, where there is one: does the chunk fit? */
static bool check_chunk(struct call *call, const struct upload *upload)
{
    const struct http_head *head = &call->exchange->head;
    const char *header = strmap_get(&head->headers, "content-range");
    int64_t start, end;
    if (!header)
        return true;
    if (!chunk_range_parse(header, &start, &end)) {
        answer_refusal(call, 400, "BLOB_UPLOAD_INVALID", "malformed Content-Range", NULL);
        return false;
    }
    if (start != upload->size) {
        answer_place(call, 416, upload);
        return false;
    }
    if (head->content_length >= 0 && head->content_length != end - start + 1) {
        answer_refusal(call, 400, "SIZE_INVALID", "Content-Length is not that of Content-Range", NULL);
        return false;
    }
    return true;
}

static void leave(struct call *call, struct upload *upload)
{
    struct error err = ERROR_INIT;
    if (!upload_leave(call->distribution->content, upload, &err))
        error_release(&err); /* it is lost at a restart, and is then begun anew */
}

/* 408 where the client only fell silent; one that is gone does not see it. */
static void answer_broken(struct call *call)
{
    answer_refusal(call, 408, "BLOB_UPLOAD_INVALID", "the body ended before its announced length", NULL);
}

/* --- the end of an upload --- */

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

/* Ends the upload whatever happens. */
static void finish(struct call *call, struct upload *upload, const char *wanted)
{
    struct distribution *distribution = call->distribution;
    struct content *content = distribution->content;
    struct ledger *ledger = distribution->ledger;
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_free_ char *digest = upload_seal(content, upload, &err);
    bool is_right = digest && strcmp(digest, wanted) == 0, is_done = false;
    if (is_right) {
        struct placing placing = {content, upload, digest};
        is_done = ledger_add_blob(ledger, call->route.name, digest, upload->size, &distribution->settings->quota, place,
                                  &placing, &err) &&
                  content_sync(content, &err) && ledger_sync(ledger, &err);
    }
    upload_remove(content, upload);
    count_add(is_done ? &distribution->counters.uploads_finished : &distribution->counters.uploads_failed, 1);
    if (is_done)
        answer_blob_place(call, digest);
    else if (digest && !is_right)
        refuse_digest(call, "provided digest did not match uploaded content");
    else
        answer_error(call, &err);
}

/* --- POST --- */

static bool mount(struct call *call, const char *digest, const char *from)
{
    struct distribution *distribution = call->distribution;
    _cleanup_error_ struct error err = ERROR_INIT;
    const struct demand demand = {"repository", from, "pull"};
    int64_t size;
    if (!from || !repository_name_is_valid(from) || !digest_is_valid(digest))
        return false;
    _cleanup_free_ char *refusal = access_refuses(distribution->access, call->exchange, &demand);
    if (refusal || !ledger_find_blob(distribution->ledger, from, digest, &size, &err) ||
        !content_has_blob(distribution->content, digest, size))
        return false;
    if (ledger_mount_blob(distribution->ledger, from, call->route.name, digest, &distribution->settings->quota, &size,
                          &err) &&
        ledger_sync(distribution->ledger, &err))
        answer_blob_place(call, digest);
    else if (err.kind == ERROR_NOT_FOUND)
        return false; /* collected this moment */
    else
        answer_error(call, &err);
    return true;
}

void serve_uploads(struct call *call)
{
    if (!call_is(call, "POST")) {
        answer_unsupported(call, "uploads are begun with POST");
        return;
    }
    const char *digest = strmap_get(&call->query, "digest"), *mounted = strmap_get(&call->query, "mount");
    _cleanup_error_ struct error err = ERROR_INIT;
    if (mounted && mount(call, mounted, strmap_get(&call->query, "from")))
        return;
    if (digest && !digest_is_valid(digest)) {
        refuse_digest(call, "invalid digest, or one of an unknown algorithm");
        return;
    }
    struct upload *upload = upload_begin(call->distribution->content, call->route.name, &err);
    if (!upload) {
        answer_error(call, &err);
        return;
    }
    if (!digest) {
        struct upload shown = *upload; /* it may be gone as soon as it is left */
        leave(call, upload);
        answer_place(call, 202, &shown);
        return;
    }
    enum outcome outcome = take_body(call, upload);
    if (outcome == TAKEN) {
        finish(call, upload, digest);
        return;
    }
    upload_remove(call->distribution->content, upload);
    if (outcome == BROKEN)
        answer_broken(call);
}

/* --- the upload itself --- */

static void patch(struct call *call, struct upload *upload)
{
    bool fits = check_chunk(call, upload);
    enum outcome outcome = fits ? take_body(call, upload) : REFUSED;
    if (outcome == BROKEN)
        answer_broken(call);
    struct upload shown = *upload; /* it may be gone as soon as it is left */
    leave(call, upload);
    if (outcome == TAKEN)
        answer_place(call, 202, &shown);
}

static void put(struct call *call, struct upload *upload)
{
    const char *digest = strmap_get(&call->query, "digest");
    bool is_digest = digest && digest_is_valid(digest);
    if (!is_digest)
        refuse_digest(call, digest ? "invalid digest, or one of an unknown algorithm" : "digest missing");
    enum outcome outcome = is_digest && check_chunk(call, upload) ? take_body(call, upload) : REFUSED;
    if (outcome == TAKEN) {
        finish(call, upload, digest);
        return;
    }
    if (outcome == BROKEN)
        answer_broken(call);
    leave(call, upload);
}

void serve_upload(struct call *call)
{
    struct content *content = call->distribution->content;
    _cleanup_error_ struct error err = ERROR_INIT;
    bool is_known = call_is(call, "PATCH") || call_is(call, "PUT") || call_is(call, "GET") || call_is(call, "DELETE");
    if (!is_known) {
        answer_unsupported(call, "an upload knows GET, PATCH, PUT and DELETE");
        return;
    }
    struct upload *upload = upload_enter(content, call->route.name, call->route.last, &err);
    if (!upload && err.kind == ERROR_NOT_FOUND) {
        answer_refusal(call, 404, "BLOB_UPLOAD_UNKNOWN", error_message(&err), NULL);
    } else if (!upload) {
        answer_refusal(call, 409, "BLOB_UPLOAD_INVALID", error_message(&err), NULL);
    } else if (call_is(call, "PATCH")) {
        patch(call, upload);
    } else if (call_is(call, "PUT")) {
        put(call, upload);
    } else if (call_is(call, "DELETE")) {
        upload_remove(content, upload);
        answer(call, 204, NULL, "", 0);
    } else {
        struct upload shown = *upload;
        leave(call, upload);
        answer_place(call, 204, &shown);
    }
}
