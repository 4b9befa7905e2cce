#include "registry/url.h"

#include <string.h>

#include "base/memory.h"
#include "registry/transfer.h"

#define READ_SIZE ((size_t)64 << 10)

void url_answer_release(struct url_answer *answer)
{
    free(answer->last_modified);
    free(answer->disposition);
    free(answer->content_type);
    *answer = (struct url_answer){0};
}

bool url_fetch(const char *url, bool (*is_cancelled)(void *context), void *context, stream_write write, void *sink,
               struct url_answer *out, struct error *err)
{
    _cleanup_(transport_freep) struct transport *transport = transport_new(is_cancelled, context);
    const struct transfer_request request = {.method = "GET", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = transfer_open(transport, &request, err);
    if (!transfer)
        return false;
    if (transfer_status(transfer) != 200)
        return error_set(err, ERROR_INVALID, "invalid response status %d", transfer_status(transfer));
    _cleanup_free_ char *buffer = xmalloc(READ_SIZE);
    ssize_t n;
    while ((n = transfer_read(transfer, buffer, READ_SIZE, err)) > 0)
        if (!write(sink, buffer, (size_t)n))
            return error_errno(err, "write what %s has", url);
    if (n < 0)
        return false;
    out->last_modified = xstrdup(transfer_header(transfer, "last-modified"));
    out->disposition = xstrdup(transfer_header(transfer, "content-disposition"));
    out->content_type = xstrdup(transfer_header(transfer, "content-type"));
    return true;
}
