/* Attach for browsers. Docker's errors before the handshake are JSON, those of the handshake a bare line. */
#include <openssl/sha.h>
#include <string.h>
#include <sys/socket.h>

#include "api/detach.h"
#include "api/request.h"
#include "api/websocket_pump.h"
#include "base/base64.h"
#include "base/memory.h"
#include "engine/containers.h"
#include "http/writer.h"

#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

static char *accept_key(const char *key)
{
    _cleanup_free_ char *text = xasprintf("%s" KEY_SUFFIX, key);
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1((const unsigned char *)text, strlen(text), digest);
    return base64_encode(digest, sizeof(digest));
}

/* What is wrong with the handshake; NULL: nothing. The order and the words are Go's x/net/websocket,
   which has none for several protocols of which none was chosen. */
static const char *handshake_fault(const struct strmap *headers)
{
    const char *upgrade = strmap_get(headers, "upgrade"), *connection = strmap_get(headers, "connection");
    if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || !connection || !strcasestr(connection, "upgrade"))
        return "not websocket protocol";
    if (!string_is_set(strmap_get(headers, "sec-websocket-key")))
        return "mismatch challenge/response";
    if (!string_equal(strmap_get(headers, "sec-websocket-version"), "13"))
        return "missing or bad WebSocket Version";
    const char *protocol = strmap_get(headers, "sec-websocket-protocol");
    return protocol && strchr(protocol, ',') ? "" : NULL;
}

static void refuse_handshake(struct http_exchange *exchange, const char *fault)
{
    _cleanup_free_ char *text = xasprintf("HTTP/1.1 400 Bad Request\r\n%s\r\n%s",
                                          strstr(fault, "Version") ? "Sec-WebSocket-Version: 13\r\n" : "", fault);
    exchange->has_answered = true;
    exchange->is_last = true;
    http_send(exchange->fd, text, strlen(text));
}

static bool shake_hands(struct http_exchange *exchange)
{
    const struct strmap *asked = &exchange->head.headers;
    const char *fault = handshake_fault(asked);
    if (fault) {
        refuse_handshake(exchange, fault);
        return false;
    }
    _cleanup_free_ char *accept = accept_key(strmap_get(asked, "sec-websocket-key"));
    const char *protocol = strmap_get(asked, "sec-websocket-protocol");
    _cleanup_strmap_ struct strmap headers = {0};
    strmap_set(&headers, "Upgrade", "websocket");
    strmap_set(&headers, "Connection", "Upgrade");
    strmap_set(&headers, "Sec-WebSocket-Accept", accept);
    if (string_is_set(protocol))
        strmap_set(&headers, "Sec-WebSocket-Protocol", protocol);
    return http_exchange_switch(exchange, &headers);
}

struct client {
    int fd;
    enum websocket_opcode opcode;
};

static bool write_logged(void *context, const void *data, size_t length)
{
    const struct client *client = context;
    _cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;
    websocket_add_frame(&frame, client->opcode, data, length);
    return http_send(client->fd, frame.data, frame.length);
}

/* Attaches one end of a socket pair; -1 where the client gets nothing but the close frame. */
static bool attach(struct call *call, struct container_attach *begun, const struct client *client, bool is_terminal,
                   const char *keys, int *stream, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        container_attach_finish(begun, NULL, NULL, false, NULL);
        return error_errno(err, "socketpair");
    }
    *stream = ends[0];
    bool chooses = call->version >= 142;
    struct shim_attachment attachment = {
        .fd = ends[1],
        .wants_stdin = !chooses || query_bool(call, "stdin"),
        .wants_stdout = !chooses || query_bool(call, "stdout"),
        .wants_stderr = !chooses || query_bool(call, "stderr"),
        .detach_keys = is_terminal ? (char *)keys : NULL,
    };
    const struct attach_replay replay = {write_logged, (void *)client, client->fd};
    return container_attach_finish(begun, &attachment, query_bool(call, "logs") ? &replay : NULL,
                                   query_bool(call, "stream"), err);
}

bool containers_attach_websocket(struct call *call, struct error *err)
{
    bool is_terminal;
    _cleanup_free_ char *keys = NULL;
    if (!detach_keys_from_text(query_text(call, "detachKeys"), &keys, err))
        return false;
    struct container_attach *begun = container_attach_begin(call->engine, call->target, &is_terminal, err);
    if (!begun)
        return false;
    if (!shake_hands(call->exchange)) {
        container_attach_finish(begun, NULL, NULL, false, NULL);
        return true;
    }
    const struct client client = {call->exchange->fd, call->version >= 128 ? WEBSOCKET_BINARY : WEBSOCKET_TEXT};
    _cleanup_close_ int stream = -1;
    if (!attach(call, begun, &client, is_terminal, keys, &stream, err))
        return false;
    websocket_pump(client.fd, stream, client.opcode);
    return true;
}
