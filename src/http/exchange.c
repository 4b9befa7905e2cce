/* A request and its answer. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/connection.h"
#include "http/writer.h"

#define DRAIN_LIMIT   (256 * 1024) /* of a body that nobody read, as Go's server has it */
#define DRAIN_TIMEOUT (2 * NANOSECONDS_PER_SECOND)

static void http_date(char text[40])
{
    time_t now = time(NULL);
    struct tm fields;
    gmtime_r(&now, &fields);
    strftime(text, 40, "%a, %d %b %Y %H:%M:%S GMT", &fields);
}

bool exchange_prepare(struct http_exchange *exchange, struct http_connection *connection)
{
    exchange->connection = connection;
    exchange->fd = connection->fd;
    exchange->is_last = !exchange->head.keeps_alive;
    char *target = exchange->head.target;
    if (string_starts_with(target, "http://") || string_starts_with(target, "https://")) {
        target = strchr(strstr(target, "//") + 2, '/'); /* absolute form: a proxy's habit */
        if (!target)
            target = (char *)"/";
    }
    size_t length = strcspn(target, "?#");
    exchange->query = target[length] == '?' ? target + length + 1 : "";
    exchange->path = xstrndup(target, length);
    const char *expect = strmap_get(&exchange->head.headers, "expect");
    exchange->wants_continue = expect && !exchange->head.is_http_1_0 && strcasecmp(expect, "100-continue") == 0;
    return http_unescape(exchange->path) && exchange->path[0] == '/';
}

void exchange_release(struct http_exchange *exchange)
{
    http_head_release(&exchange->head);
    free(exchange->path);
    strmap_release(&exchange->headers);
}

ssize_t http_exchange_read(struct http_exchange *exchange, void *data, size_t length)
{
    struct http_reader *reader = exchange->connection->reader;
    if (exchange->wants_continue && !http_body_is_over(reader)) {
        exchange->wants_continue = false;
        if (!exchange->has_answered && !http_send(exchange->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25))
            return -1;
    }
    return http_read_body(reader, data, length);
}

void http_exchange_set_deadline(struct http_exchange *exchange, int64_t deadline)
{
    http_reader_set_deadline(exchange->connection->reader, deadline);
}

bool http_exchange_read_all(struct http_exchange *exchange, size_t limit, struct strbuf *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf body = {.limit = limit + 1};
    if (exchange->head.content_length > (int64_t)limit)
        return error_set(err, ERROR_TOO_LARGE, "http: request body too large");
    for (;;) {
        size_t room = MIN(limit + 1 - body.length, (size_t)16384);
        if (!strbuf_reserve(&body, room))
            return error_set(err, ERROR_TOO_LARGE, "http: request body too large");
        ssize_t count = http_exchange_read(exchange, body.data + body.length, room);
        if (count < 0)
            return error_set(err, errno == EPROTO ? ERROR_INVALID : ERROR_CANCELLED,
                             "failed to read the request body: %s", errno_text(errno));
        body.length += (size_t)count;
        body.data[body.length] = '\0';
        if (count == 0)
            break;
        if (body.length > limit)
            return error_set(err, ERROR_TOO_LARGE, "http: request body too large");
    }
    strbuf_release(out);
    *out = body;
    body = STRBUF_INIT;
    return true;
}

static bool has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* The head. `length`: of the body, or -1 for a stream. */
static bool send_head(struct http_exchange *exchange, int status, const char *content_type, int64_t length,
                      struct strbuf *out)
{
    char date[40];
    http_date(date);
    if (exchange->wants_continue)
        exchange->is_last = true; /* the client may or may not send the body now: nobody can know what comes next */
    bool is_1_0 = exchange->head.is_http_1_0;
    if (length < 0 && is_1_0)
        exchange->is_last = true;
    strbuf_addf(out, "HTTP/1.%d %d %s\r\n", is_1_0 ? 0 : 1, status, http_reason(status));
    for (size_t i = 0; i < exchange->headers.count; i++) {
        const struct strpair *header = &exchange->headers.items[i];
        strbuf_addf(out, "%s: ", header->key);
        for (const char *at = header->value; *at; at++)
            strbuf_add_char(out, *at == '\r' || *at == '\n' ? ' ' : *at);
        strbuf_add_string(out, "\r\n");
    }
    if (content_type)
        strbuf_addf(out, "Content-Type: %s\r\n", content_type);
    strbuf_addf(out, "Date: %s\r\n", date);
    if (!has_body(status)) {
        /* no framing header */
    } else if (length >= 0) {
        strbuf_addf(out, "Content-Length: %lld\r\n", (long long)length);
    } else if (!is_1_0) {
        exchange->is_chunked = true;
        strbuf_add_string(out, "Transfer-Encoding: chunked\r\n");
    }
    if (exchange->is_last)
        strbuf_add_string(out, "Connection: close\r\n");
    else if (is_1_0)
        strbuf_add_string(out, "Connection: keep-alive\r\n");
    strbuf_add_string(out, "\r\n");
    exchange->has_answered = true;
    return true;
}

static bool is_head_request(const struct http_exchange *exchange)
{
    return string_equal(exchange->head.method, "HEAD");
}

bool http_exchange_answer(struct http_exchange *exchange, int status, const char *content_type, const void *body,
                          size_t length)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    send_head(exchange, status, content_type, (int64_t)length, &out);
    bool sends_body = has_body(status) && !is_head_request(exchange);
    bool fits = length <= 65536;
    if (sends_body && fits)
        strbuf_add(&out, body, length);
    bool is_sent =
        http_send(exchange->fd, out.data, out.length) && (!sends_body || fits || http_send(exchange->fd, body, length));
    exchange->is_last |= !is_sent;
    return is_sent;
}

bool http_exchange_begin(struct http_exchange *exchange, int status, const char *content_type)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    send_head(exchange, status, content_type, -1, &out);
    exchange->is_stream = has_body(status) && !is_head_request(exchange);
    bool is_sent = http_send(exchange->fd, out.data, out.length);
    exchange->is_last |= !is_sent;
    return is_sent;
}

bool http_exchange_begin_length(struct http_exchange *exchange, int status, const char *content_type, int64_t length)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    send_head(exchange, status, content_type, length, &out);
    exchange->is_stream = has_body(status) && !is_head_request(exchange);
    bool is_sent = http_send(exchange->fd, out.data, out.length);
    exchange->is_last |= !is_sent;
    return is_sent;
}

bool http_exchange_answer_file(struct http_exchange *exchange, int status, const char *content_type, int file,
                               int64_t length)
{
    return http_exchange_begin_length(exchange, status, content_type, length) &&
           http_exchange_write_file(exchange, file, length);
}

bool http_exchange_write(struct http_exchange *exchange, const void *data, size_t length)
{
    if (!exchange->is_stream)
        return is_head_request(exchange);
    bool is_sent =
        exchange->is_chunked ? http_write_chunk(exchange->fd, data, length) : http_send(exchange->fd, data, length);
    if (!is_sent)
        http_exchange_abort(exchange);
    return is_sent;
}

bool http_exchange_write_file(struct http_exchange *exchange, int fd, int64_t length)
{
    if (!exchange->is_stream || length == 0)
        return length == 0 || is_head_request(exchange);
    bool is_sent = (!exchange->is_chunked || http_begin_chunk(exchange->fd, length)) &&
                   http_send_file(exchange->fd, fd, length) &&
                   (!exchange->is_chunked || http_send(exchange->fd, "\r\n", 2));
    if (!is_sent)
        http_exchange_abort(exchange);
    return is_sent;
}

void http_exchange_abort(struct http_exchange *exchange)
{
    exchange->is_last = true;
    exchange->is_stream = false; /* no last chunk */
}

/* Reads what is left of a body that nobody asked for. false: it is too long, or never comes. */
static bool drop_body(struct http_exchange *exchange)
{
    size_t dropped = 0;
    char data[8192];
    http_reader_set_deadline(exchange->connection->reader, clock_monotonic() + DRAIN_TIMEOUT);
    while (!http_body_is_over(exchange->connection->reader)) {
        ssize_t count = http_exchange_read(exchange, data, sizeof(data));
        if (count < 0 || (dropped += (size_t)count) > DRAIN_LIMIT)
            return false;
    }
    return true;
}

/* A client that will stream announces a chunked body with its upgrade and sends none: what follows the head is the
   stream's. One that ends its request at once sends an empty last chunk, which is not. */
static bool skip_announced_body(struct http_exchange *exchange)
{
    static const char last_chunk[] = {'0', '\r', '\n', '\r', '\n'};
    if (!exchange->head.wants_upgrade || !exchange->head.is_chunked || exchange->wants_continue)
        return false;
    char next[sizeof(last_chunk)];
    if (recv(exchange->fd, next, sizeof(next), MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(next) &&
        memcmp(next, last_chunk, sizeof(next)) == 0)
        (void)!recv(exchange->fd, next, sizeof(next), MSG_DONTWAIT);
    return true;
}

int http_exchange_hijack(struct http_exchange *exchange, const char *content_type, struct error *err)
{
    struct http_connection *connection = exchange->connection;
    bool is_ready = http_body_is_over(connection->reader) ||
                    (exchange->head.content_length > 0 ? drop_body(exchange) : skip_announced_body(exchange));
    if (!is_ready) {
        error_set(err, ERROR_INTERNAL, "a connection cannot be hijacked before its request was read");
        return -1;
    }
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    bool is_upgrade = exchange->head.wants_upgrade && strmap_get(&exchange->head.headers, "upgrade");
    strbuf_add_string(&out, is_upgrade ? "HTTP/1.1 101 UPGRADED\r\n" : "HTTP/1.1 200 OK\r\n");
    if (content_type)
        strbuf_addf(&out, "Content-Type: %s\r\n", content_type);
    if (is_upgrade)
        strbuf_add_string(&out, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
    for (size_t i = 0; i < exchange->headers.count; i++)
        strbuf_addf(&out, "%s: %s\r\n", exchange->headers.items[i].key, exchange->headers.items[i].value);
    strbuf_add_string(&out, "\r\n");
    exchange->has_answered = true;
    exchange->is_last = true;
    if (!http_send(exchange->fd, out.data, out.length)) {
        error_errno(err, "failed to answer the client");
        return -1;
    }
    exchange->is_hijacked = true;
    connection_forget_fd(connection);
    return TAKE_FD(exchange->fd);
}

bool http_exchange_switch(struct http_exchange *exchange, const struct strmap *headers)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    strbuf_add_string(&out, "HTTP/1.1 101 Switching Protocols\r\n");
    for (size_t i = 0; i < headers->count; i++)
        strbuf_addf(&out, "%s: %s\r\n", headers->items[i].key, headers->items[i].value);
    strbuf_add_string(&out, "\r\n");
    exchange->has_answered = true;
    exchange->is_last = true;
    http_exchange_may_be_cut(exchange);
    return http_send(exchange->fd, out.data, out.length);
}

bool exchange_finish(struct http_exchange *exchange)
{
    if (exchange->is_hijacked)
        return false;
    if (exchange->is_stream && exchange->is_chunked && !http_write_last_chunk(exchange->fd))
        return false;
    if (exchange->is_last)
        return false;
    return drop_body(exchange);
}

void connection_refuse(int fd, int status, const char *server_name)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    const char *reason = http_reason(status);
    strbuf_addf(&out, "HTTP/1.1 %d %s\r\n", status, reason);
    if (server_name)
        strbuf_addf(&out, "Server: %s\r\n", server_name);
    strbuf_addf(&out, "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n%d %s", status, reason);
    send(fd, out.data, out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
}
