#include "registry/upload.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define CHUNK_SIZE ((int64_t)64 << 20) /* more than this is sent in pieces of this size */

bool blob_is_there(struct session *session, struct transport *transport, const char *digest, bool *has,
                   struct error *err)
{
    _cleanup_free_ char *url = session_url(session, "blobs/%s", digest);
    struct transfer_request request = {.method = "HEAD", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, transport, &request, err);
    if (!transfer)
        return false;
    int status = transfer_status(transfer);
    *has = status == 200;
    return status == 200 || status == 404 || session_refused(transfer, err);
}

/* The answer's Location, made absolute. The caller frees; NULL where there is none. */
static char *location_of(const struct session *session, const struct transfer *transfer)
{
    const char *location = transfer_header(transfer, "location");
    if (!string_is_set(location))
        return NULL;
    if (*location != '/')
        return xstrdup(location);
    const char *base = session_endpoint(session)->url;
    const char *host = strstr(base, "://") + 3;
    return xasprintf("%.*s%s", (int)((size_t)(host - base) + strcspn(host, "/")), base, location);
}

static char *with_digest(const char *location, const char *digest)
{
    _cleanup_free_ char *escaped = query_escape(digest);
    return xasprintf("%s%sdigest=%s", location, strchr(location, '?') ? "&" : "?", escaped);
}

bool blob_mount(struct session *session, struct transport *transport, const char *digest, const char *from,
                bool *is_mounted, char **location, struct error *err)
{
    _cleanup_free_ char *mount = query_escape(digest), *source = query_escape(from);
    _cleanup_free_ char *url = session_url(session, "blobs/uploads/?mount=%s&from=%s", mount, source);
    struct transfer_request request = {.method = "POST", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, transport, &request, err);
    if (!transfer)
        return false;
    *is_mounted = transfer_status(transfer) == 201;
    *location = transfer_status(transfer) == 202 ? location_of(session, transfer) : NULL;
    return true;
}

static bool begin(struct session *session, struct transport *transport, char **location, struct error *err)
{
    _cleanup_free_ char *url = session_url(session, "blobs/uploads/");
    struct transfer_request request = {.method = "POST", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, transport, &request, err);
    if (!transfer)
        return false;
    if (transfer_status(transfer) != 202)
        return session_refused(transfer, err);
    *location = location_of(session, transfer);
    return *location || error_set(err, ERROR_INTERNAL, "the registry began an upload without a location");
}

/* How much of the whole is gone, while a piece is on its way. */
struct piece {
    const struct upload *upload;
    int64_t offset;
};

static void piece_sent(void *context, int64_t bytes)
{
    const struct piece *piece = context;
    if (piece->upload->sent)
        piece->upload->sent(piece->upload->context, piece->offset + bytes);
}

static struct transfer *send_piece(struct session *session, struct transport *transport, struct piece *piece,
                                   const char *method, const char *url, int64_t length, struct error *err)
{
    const struct upload *upload = piece->upload;
    struct transfer_request request = {
        .method = method,
        .url = url,
        .data = upload->fd < 0 ? (const char *)upload->data + piece->offset : NULL,
        .has_file = upload->fd >= 0,
        .fd = upload->fd,
        .offset = piece->offset,
        .length = (size_t)length,
        .sent = piece_sent,
        .sent_context = piece,
    };
    strlist_add(&request.headers, "Content-Type: application/octet-stream");
    if (strcmp(method, "PATCH") == 0)
        strlist_addf(&request.headers, "Content-Range: %lld-%lld", (long long)piece->offset,
                     (long long)(piece->offset + length - 1));
    struct transfer *transfer = session_send(session, transport, &request, err);
    strlist_release(&request.headers);
    return transfer;
}

static bool finish(struct session *session, struct transport *transport, const char *location, const char *digest,
                   struct error *err)
{
    _cleanup_free_ char *url = with_digest(location, digest);
    struct transfer_request request = {.method = "PUT", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, transport, &request, err);
    return transfer && (transfer_status(transfer) == 201 || session_refused(transfer, err));
}

static bool send_in_pieces(struct session *session, struct transport *transport, const struct upload *upload,
                           char **location, struct error *err)
{
    struct piece piece = {.upload = upload};
    while (piece.offset < upload->size) {
        int64_t length = MIN(CHUNK_SIZE, upload->size - piece.offset);
        _cleanup_(transfer_closep) struct transfer *transfer =
            send_piece(session, transport, &piece, "PATCH", *location, length, err);
        if (!transfer)
            return false;
        if (transfer_status(transfer) != 202)
            return session_refused(transfer, err);
        char *next = location_of(session, transfer);
        if (next) {
            free(*location);
            *location = next;
        }
        piece.offset += length;
    }
    return finish(session, transport, *location, upload->digest, err);
}

static bool send_once(struct session *session, struct transport *transport, const struct upload *upload,
                      char **location, struct error *err)
{
    if (!*location && !begin(session, transport, location, err))
        return false;
    if (upload->size > CHUNK_SIZE)
        return send_in_pieces(session, transport, upload, location, err);
    struct piece piece = {.upload = upload};
    _cleanup_free_ char *url = with_digest(*location, upload->digest);
    _cleanup_(transfer_closep) struct transfer *transfer =
        send_piece(session, transport, &piece, "PUT", url, upload->size, err);
    return transfer && (transfer_status(transfer) == 201 || session_refused(transfer, err));
}

bool blob_send(struct session *session, struct transport *transport, const struct upload *upload, char *location,
               struct error *err)
{
    for (int64_t attempt = 1;; attempt++) {
        struct error why = ERROR_INIT;
        bool is_sent = send_once(session, transport, upload, &location, &why);
        free(TAKE_PTR(location));
        if (is_sent)
            return true;
        bool is_final = why.kind == ERROR_CANCELLED || why.kind == ERROR_DENIED || why.kind == ERROR_UNAUTHORIZED ||
                        why.kind == ERROR_INVALID || why.kind == ERROR_NOT_FOUND;
        if (is_final || attempt >= session->registry->options.max_attempts)
            return error_move(err, &why);
        error_release(&why);
        if (!call_sleep(session->call, attempt * NANOSECONDS_PER_SECOND))
            return error_set(err, ERROR_CANCELLED, "context canceled");
    }
}
