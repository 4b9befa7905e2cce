/* A file of any web server, read as a stream: `import http://…`. */
#include <errno.h>

#include "base/clock.h"
#include "base/memory.h"
#include "registry/registry_internal.h"

#define MAX_REFUSAL     ((size_t)64 << 10)
#define TELL_EVERY      (NANOSECONDS_PER_SECOND / 10)
#define HAS_SCHEME(url) (strstr((url), "://") != NULL)

struct url_stream {
    struct teller teller;
    struct transport *transport;
    struct transfer *transfer;
    struct error error; /* of the read that failed */
    int64_t length;     /* -1: unknown */
    int64_t received;
    int64_t told_at;
};

/* moby's remotecontext.GetWithStatusError. */
static bool refused(struct transfer *transfer, const char *url, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    (void)transfer_read_all(transfer, MAX_REFUSAL, &text, NULL);
    while (text.length && strchr(" \t\r\n", text.data[text.length - 1]))
        strbuf_truncate(&text, text.length - 1);
    int status = transfer_status(transfer);
    enum error_kind kind = status == 400   ? ERROR_INVALID
                           : status == 401 ? ERROR_UNAUTHORIZED
                           : status == 403 ? ERROR_DENIED
                           : status == 404 ? ERROR_NOT_FOUND
                                           : ERROR_INTERNAL;
    return error_set(err, kind, "failed to GET %s with status %s: %s", url, transfer_status_text(transfer),
                     strbuf_text(&text));
}

struct url_stream *url_stream_open(const struct registry_call *call, const char *source, struct error *err)
{
    _cleanup_free_ char *url = HAS_SCHEME(source) ? xstrdup(source) : xasprintf("http://%s", source);
    if (!string_starts_with(url, "http://") && !string_starts_with(url, "https://")) {
        error_set(err, ERROR_INTERNAL, "Get \"%s\": unsupported protocol scheme \"%.*s\"", url,
                  (int)(strstr(url, "://") - url), url);
        return NULL;
    }
    _cleanup_(url_stream_closep) struct url_stream *stream = NEW(struct url_stream);
    teller_init(&stream->teller, call);
    stream->transport = transport_new(call->is_cancelled, call->context);
    struct transfer_request request = {.method = "GET", .url = url};
    stream->transfer = transfer_open(stream->transport, &request, err);
    if (!stream->transfer)
        return NULL;
    if (transfer_status(stream->transfer) >= 400) {
        refused(stream->transfer, url, err);
        return NULL;
    }
    const char *length = transfer_header(stream->transfer, "content-length");
    if (!length || !parse_int64(length, &stream->length))
        stream->length = -1;
    _cleanup_free_ char *from = xasprintf("Downloading from %s", url);
    tell_message(&stream->teller, NULL, from);
    return TAKE_PTR(stream);
}

ssize_t url_stream_read(void *context, void *data, size_t length)
{
    struct url_stream *stream = context;
    ssize_t count = transfer_read(stream->transfer, data, length, &stream->error);
    int64_t now = clock_monotonic();
    stream->received += MAX(count, (ssize_t)0);
    if (count >= 0 && (count == 0 || now - stream->told_at >= TELL_EVERY)) {
        tell_progress(&stream->teller, NULL, "Importing", stream->received, stream->length);
        stream->told_at = now;
    }
    if (count < 0)
        errno = EIO;
    return count;
}

const struct error *url_stream_error(const struct url_stream *stream)
{
    return &stream->error;
}

void url_stream_close(struct url_stream *stream)
{
    if (!stream)
        return;
    transfer_close(stream->transfer);
    transport_free(stream->transport);
    teller_release(&stream->teller);
    error_release(&stream->error);
    free(stream);
}
