/* GET, HEAD and DELETE of /v2/<name>/blobs/<digest>. */
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "distribution/call.h"
#include "distribution/range.h"
#include "distribution/upstream.h"

static void refuse_unknown(struct call *call)
{
    _cleanup_free_ char *detail = xasprintf("{\"digest\":\"%s\"}", call->route.last);
    answer_refusal(call, 404, "BLOB_UNKNOWN", "blob unknown to registry", detail);
}

void answer_blob(struct call *call, const char *digest, int fd, int64_t size)
{
    const struct strmap *headers = &call->exchange->head.headers;
    call_header(call, "Docker-Content-Digest", digest);
    call_headerf(call, "ETag", "\"%s\"", digest);
    call_header(call, "Cache-Control", "max-age=31536000");
    call_header(call, "Accept-Ranges", "bytes");
    if (answer_if_known(call, digest))
        return;
    int64_t start = 0, length = size;
    const char *if_range = strmap_get(headers, "if-range");
    bool may_be_part = call_is(call, "GET") && (!if_range || strstr(if_range, digest));
    enum range_result range =
        may_be_part ? range_parse(strmap_get(headers, "range"), size, &start, &length) : RANGE_WHOLE;
    if (range == RANGE_UNSATISFIABLE) {
        call_headerf(call, "Content-Range", "bytes */%lld", (long long)size);
        answer_refusal(call, 416, "SIZE_INVALID", "the range is not within the blob", NULL);
        return;
    }
    call->status = range == RANGE_PART ? 206 : 200;
    if (range == RANGE_PART)
        call_headerf(call, "Content-Range", "bytes %lld-%lld/%lld", (long long)start, (long long)(start + length - 1),
                     (long long)size);
    if (lseek(fd, start, SEEK_SET) == start &&
        http_exchange_answer_file(call->exchange, call->status, "application/octet-stream", fd, length) &&
        call_is(call, "GET"))
        count_add(&call->distribution->counters.sent, length);
}

static void read_blob(struct call *call)
{
    struct distribution *distribution = call->distribution;
    const char *digest = call->route.last;
    _cleanup_error_ struct error err = ERROR_INIT;
    int64_t size;
    bool is_held = ledger_find_blob(distribution->ledger, call->route.name, digest, &size, &err);
    _cleanup_close_ int fd = is_held ? content_open_blob(distribution->content, digest, &size, &err) : -1;
    if (fd >= 0) {
        if (distribution->upstream)
            count_add(&distribution->counters.cache_hits, 1);
        answer_blob(call, digest, fd, size);
    } else if (err.kind != ERROR_NOT_FOUND) {
        answer_error(call, &err);
    } else if (distribution->upstream) {
        upstream_serve_blob(call);
    } else {
        refuse_unknown(call);
    }
}

static void delete_blob(struct call *call)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct distribution *distribution = call->distribution;
    if (ledger_drop_blob(distribution->ledger, call->route.name, call->route.last, &err) &&
        ledger_sync(distribution->ledger, &err)) {
        call_header(call, "Docker-Content-Digest", call->route.last);
        answer(call, 202, NULL, "", 0);
    } else if (err.kind == ERROR_NOT_FOUND) {
        refuse_unknown(call);
    } else {
        answer_error(call, &err);
    }
}

void serve_blob(struct call *call)
{
    if (call_reads(call))
        read_blob(call);
    else if (call_is(call, "DELETE"))
        delete_blob(call);
    else
        answer_unsupported(call, "blobs can be read and deleted; uploads are at blobs/uploads/");
}
