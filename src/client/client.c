#include "client/client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "client/transport.h"
#include "http/writer.h"
#include "json/json_record.h"

#define DEFAULT_HOST  "unix:///run/wherry.sock"
#define FALLBACK_HOST "unix:///var/run/docker.sock"

#define UPLOAD_PIECE    ((size_t)64 << 10)
#define UPLOAD_GATHERED 16384 /* files up to this size */
#define ERROR_LIMIT     ((size_t)1 << 20)

struct client {
    struct address address;
    bool has_fallback; /* nobody named a host: FALLBACK_HOST is tried where the default one is not there */
    char *version;
    bool is_version_settled; /* the server has accepted a request with it */
    struct connection *idle; /* a finished one, to be used again */
    struct strmap headers;
};

struct client_stream {
    struct client *client;
    struct connection *connection;
    struct http_head head;
    bool is_finished;
};

struct client *client_new(const char *host, const struct client_tls *tls, struct error *err)
{
    bool has_fallback = false;
    if (!string_is_set(host))
        host = getenv("WHERRY_HOST");
    if (!string_is_set(host))
        host = getenv("DOCKER_HOST");
    if (!string_is_set(host)) {
        host = DEFAULT_HOST;
        has_fallback = true;
    }
    struct address address = {0};
    if (!address_parse(host, tls, &address, err))
        return NULL;
    struct client *client = NEW(struct client);
    client->address = address;
    client->has_fallback = has_fallback;
    const char *version = getenv("WHERRY_API_VERSION");
    if (!string_is_set(version))
        version = getenv("DOCKER_API_VERSION");
    client->is_version_settled = string_is_set(version);
    if (client->is_version_settled && version[0] == 'v')
        version++;
    client->version = xstrdup(client->is_version_settled ? version : CLIENT_API_VERSION);
    return client;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    connection_free(client->idle);
    address_release(&client->address);
    strmap_release(&client->headers);
    free(client->version);
    free(client);
}

void client_set_headers(struct client *client, const struct strmap *headers)
{
    strmap_copy(&client->headers, headers);
}

const char *client_host(const struct client *client)
{
    return client->address.text;
}

const char *client_api_version(const struct client *client)
{
    return client->version;
}

static struct connection *take_connection(struct client *client, struct error *err)
{
    if (client->idle)
        return TAKE_PTR(client->idle);
    _cleanup_error_ struct error cause = ERROR_INIT;
    struct connection *connection = connection_open(&client->address, &cause);
    if (connection) {
        client->has_fallback = false;
        return connection;
    }
    if (client->has_fallback && (cause.errno_value == ENOENT || cause.errno_value == ECONNREFUSED)) {
        struct address fallback = {0};
        client->has_fallback = false;
        connection = address_parse(FALLBACK_HOST, NULL, &fallback, NULL) ? connection_open(&fallback, NULL) : NULL;
        if (connection) {
            address_release(&client->address);
            client->address = fallback;
            return connection;
        }
        address_release(&fallback);
    }
    error_move(err, &cause);
    return NULL;
}

int client_dial(struct client *client, struct error *err)
{
    _cleanup_(connection_freep) struct connection *connection = take_connection(client, err);
    return connection ? TAKE_FD(connection->fd) : -1;
}

static void give_back(struct client *client, struct connection *connection, bool keeps_alive)
{
    if (client->idle || !keeps_alive) {
        connection_free(connection);
        return;
    }
    connection->is_reused = true;
    client->idle = connection;
}

static enum error_kind kind_of_status(int status)
{
    switch (status) {
    case 400:
        return ERROR_INVALID;
    case 401:
        return ERROR_UNAUTHORIZED;
    case 403:
        return ERROR_DENIED;
    case 404:
        return ERROR_NOT_FOUND;
    case 409:
        return ERROR_CONFLICT;
    case 413:
        return ERROR_TOO_LARGE;
    case 501:
        return ERROR_UNSUPPORTED;
    case 503:
        return ERROR_UNAVAILABLE;
    default:
        return ERROR_INTERNAL;
    }
}

/* The whole body; false with errno where the connection breaks. */
static bool read_body(struct connection *connection, struct strbuf *out)
{
    for (;;) {
        if (!strbuf_reserve(out, 16384)) {
            errno = EFBIG;
            return false;
        }
        ssize_t count = http_read_body(connection->reader, out->data + out->length, 16384);
        if (count < 0)
            return false;
        out->data[out->length + (size_t)count] = '\0';
        if (count == 0)
            return true;
        out->length += (size_t)count;
    }
}

/* The daemon's message from the body of an answer that is an error. */
static char *daemon_message(const struct client *client, const struct http_head *head, const char *path,
                            const struct strbuf *body)
{
    const char *type = strmap_get(&head->headers, "content-type");
    _cleanup_json_ json_t *json = NULL;
    if (type && string_starts_with(type, "application/json"))
        json = json_parse(strbuf_text(body), body->length, NULL);
    const char *message = json_string_value(json_object_get(json, "message"));
    if (message)
        return xasprintf("Error response from daemon: %s", message);
    size_t length = body->length;
    const char *text = strbuf_text(body);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        length--;
    if (length > 0)
        return xasprintf("Error response from daemon: %.*s", (int)length, text);
    return xasprintf("request returned %d for API route and version %s, check if the server supports the requested API "
                     "version %s",
                     head->status, path, client->version);
}

static bool has_upload(const struct client_request *request)
{
    return request->has_upload || request->produce;
}

static void format_head(const struct client *client, const struct client_request *request, bool is_versioned,
                        bool is_upgrade, struct strbuf *out)
{
    strbuf_addf(out, "%s ", request->method);
    if (is_versioned)
        strbuf_addf(out, "/v%s", client->version);
    strbuf_addf(out, "%s HTTP/1.1\r\nHost: ", request->path);
    if (client->address.tcp_host)
        strbuf_addf(out, "%s\r\n", client->address.text + strlen("tcp://"));
    else
        strbuf_addf(out, "%s\r\n", client->address.unix_path ? "api.moby.localhost" : "docker.example.com");
    strbuf_addf(out, "User-Agent: wherry/" WHERRY_VERSION " (linux)\r\n");
    for (size_t i = 0; i < client->headers.count; i++)
        strbuf_addf(out, "%s: %s\r\n", client->headers.items[i].key, client->headers.items[i].value);
    if (is_upgrade)
        strbuf_add_string(out, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
    if (has_upload(request))
        strbuf_add_string(out, "Transfer-Encoding: chunked\r\n");
    else if (request->data || string_equal(request->method, "POST") || string_equal(request->method, "PUT"))
        strbuf_addf(out, "Content-Length: %zu\r\n", request->length);
    const char *type = request->content_type;
    if (!type && request->data)
        type = "application/json";
    if (type)
        strbuf_addf(out, "Content-Type: %s\r\n", type);
    for (size_t i = 0; request->headers && i < request->headers->count; i++)
        strbuf_addf(out, "%s: %s\r\n", request->headers->items[i].key, request->headers->items[i].value);
    strbuf_add_string(out, "\r\n");
}

/* Sends the upload in chunks. A server that answers early stops reading: then its answer counts, not the broken pipe.
 */
static bool send_upload(struct connection *connection, int upload, struct error *err)
{
    _cleanup_free_ char *piece = xmalloc(UPLOAD_PIECE);
    for (;;) {
        ssize_t count = read(upload, piece, UPLOAD_PIECE);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno(err, "read");
        char size[24];
        int size_length = snprintf(size, sizeof(size), "%zx\r\n", (size_t)count);
        if (send_full(connection->fd, size, (size_t)size_length) < 0 ||
            send_full(connection->fd, piece, (size_t)count) < 0 || send_full(connection->fd, "\r\n", 2) < 0)
            return true;
        if (count == 0)
            return true;
    }
}

/* Small pieces are gathered: thousands of files would else be as many chunks, and several reads each. */
struct client_upload {
    int fd;
    struct strbuf pending; /* at most UPLOAD_PIECE */
};

static bool upload_flush(struct client_upload *upload)
{
    bool is_sent =
        !upload->pending.length || http_write_chunk(upload->fd, upload->pending.data, upload->pending.length);
    strbuf_truncate(&upload->pending, 0);
    return is_sent;
}

bool client_upload_write(struct client_upload *upload, const void *data, size_t length)
{
    if (upload->pending.length + length > UPLOAD_PIECE && !upload_flush(upload))
        return false;
    if (length > UPLOAD_PIECE / 2)
        return upload_flush(upload) && http_write_chunk(upload->fd, data, length);
    return strbuf_add(&upload->pending, data, length);
}

static bool gather_file(struct client_upload *upload, int fd, size_t length)
{
    char piece[UPLOAD_GATHERED];
    size_t done = 0;
    while (done < length) {
        ssize_t count = read(fd, piece + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    memset(piece + done, 0, length - done);
    return client_upload_write(upload, piece, length);
}

bool client_upload_file(struct client_upload *upload, int fd, int64_t length)
{
    if (length <= UPLOAD_GATHERED)
        return gather_file(upload, fd, (size_t)length);
    return upload_flush(upload) && http_begin_chunk(upload->fd, length) && http_send_file(upload->fd, fd, length) &&
           http_send(upload->fd, "\r\n", 2);
}

static bool send_body(struct connection *connection, const struct client_request *request, struct error *err)
{
    if (!request->produce)
        return send_upload(connection, request->upload, err);
    struct client_upload upload = {connection->fd, STRBUF_INIT};
    bool is_produced = request->produce(&upload, request->produce_context, err);
    if (is_produced && upload_flush(&upload))
        (void)http_write_last_chunk(connection->fd);
    strbuf_release(&upload.pending);
    return is_produced;
}

/* One request on one connection, to the head of its answer. Where a kept connection turns out to be closed, a new one
   is opened. */
static struct connection *exchange(struct client *client, const struct client_request *request, bool is_versioned,
                                   bool is_upgrade, struct http_head *head, struct error *err)
{
    for (;;) {
        _cleanup_(connection_freep) struct connection *connection = take_connection(client, err);
        if (!connection)
            return NULL;
        bool can_retry = connection->is_reused && !has_upload(request);
        _cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
        format_head(client, request, is_versioned, is_upgrade, &message);
        if (request->data)
            strbuf_add(&message, request->data, request->length);
        bool is_sent = send_full(connection->fd, message.data, message.length) == 0;
        if (!is_sent && can_retry)
            continue;
        if (is_sent && has_upload(request) && !send_body(connection, request, err))
            return NULL;
        _cleanup_error_ struct error cause = ERROR_INIT;
        if (http_read_head(connection->reader, false, head, &cause))
            return TAKE_PTR(connection);
        if (can_retry && cause.kind == ERROR_CANCELLED)
            continue;
        if (cause.kind == ERROR_CANCELLED) {
            error_set(&cause, ERROR_UNAVAILABLE, "error during connect: the server closed the connection: EOF");
            connection_explain(connection, &client->address, &cause);
        }
        error_move(err, &cause);
        return NULL;
    }
}

/* Asks the server for its version: once, and only where ours is too new for it. */
static bool negotiate(struct client *client, struct error *err)
{
    client->is_version_settled = true;
    struct client_request ping = {.method = "GET", .path = "/_ping"};
    struct http_head head = {0};
    _cleanup_(connection_freep) struct connection *connection = exchange(client, &ping, false, false, &head, err);
    if (!connection)
        return false;
    const char *version = strmap_get(&head.headers, "api-version");
    int64_t server_minor = 0, our_minor = 0;
    const char *our_dot = strchr(client->version, '.');
    if (version && string_starts_with(version, "1.") && parse_int64(version + 2, &server_minor) && our_dot &&
        parse_int64(our_dot + 1, &our_minor) && server_minor < our_minor)
        string_replace(&client->version, version);
    _cleanup_strbuf_ struct strbuf body = {.limit = ERROR_LIMIT};
    bool is_read = read_body(connection, &body);
    give_back(client, TAKE_PTR(connection), is_read && head.keeps_alive);
    http_head_release(&head);
    return true;
}

/* To the head of a good answer; answers from 400 on become errors. */
static struct connection *perform(struct client *client, const struct client_request *request, bool is_upgrade,
                                  struct http_head *head, struct error *err)
{
    /* An upload cannot be repeated, so its version is settled first. */
    if (has_upload(request) && !client->is_version_settled && !negotiate(client, err))
        return NULL;
    for (;;) {
        _cleanup_(connection_freep) struct connection *connection =
            exchange(client, request, true, is_upgrade, head, err);
        if (!connection)
            return NULL;
        if (head->status < 400) {
            client->is_version_settled = true;
            return TAKE_PTR(connection);
        }
        _cleanup_strbuf_ struct strbuf body = {.limit = ERROR_LIMIT};
        bool is_head = string_equal(request->method, "HEAD"); /* has no body, whatever its headers say */
        bool is_read = !is_head && read_body(connection, &body);
        give_back(client, TAKE_PTR(connection), is_read && head->keeps_alive);
        bool is_too_new =
            !client->is_version_settled && head->status == 400 && strstr(strbuf_text(&body), "is too new");
        if (is_too_new) {
            http_head_release(head);
            if (!negotiate(client, err))
                return NULL;
            continue;
        }
        _cleanup_free_ char *text = daemon_message(client, head, request->path, &body);
        error_set(err, kind_of_status(head->status), "%s", text);
        http_head_release(head);
        return NULL;
    }
}

struct client_stream *client_stream_open(struct client *client, const struct client_request *request, struct error *err)
{
    struct http_head head = {0};
    struct connection *connection = perform(client, request, false, &head, err);
    if (!connection)
        return NULL;
    struct client_stream *stream = NEW(struct client_stream);
    *stream = (struct client_stream){.client = client, .connection = connection, .head = head};
    return stream;
}

struct client_stream *client_stream_get(struct client *client, const char *path, struct error *err)
{
    return client_stream_open(client, &(struct client_request){.method = "GET", .path = path}, err);
}

char *client_head(struct client *client, const char *path, const char *header, struct error *err)
{
    struct client_request request = {.method = "HEAD", .path = path};
    struct http_head head = {0};
    /* An answer without a body cannot say that the version is too new. */
    if (!client->is_version_settled && !negotiate(client, err))
        return NULL;
    struct connection *connection = perform(client, &request, false, &head, err);
    if (!connection)
        return NULL;
    give_back(client, connection, false);
    const char *value = strmap_get(&head.headers, header);
    char *found = value ? xstrdup(value) : NULL;
    http_head_release(&head);
    if (!found)
        error_set(err, ERROR_INTERNAL, "the answer has no %s", header);
    return found;
}

ssize_t client_stream_read(struct client_stream *stream, void *data, size_t length)
{
    if (stream->is_finished)
        return 0;
    ssize_t count = http_read_body(stream->connection->reader, data, length);
    stream->is_finished = count == 0;
    return count;
}

int client_stream_fd(const struct client_stream *stream)
{
    return stream->connection->fd;
}

const char *client_stream_header(const struct client_stream *stream, const char *name)
{
    return strmap_get(&stream->head.headers, name);
}

static bool stream_read_all(struct client_stream *stream, struct strbuf *out, struct error *err)
{
    if (stream->is_finished)
        return true;
    if (!read_body(stream->connection, out))
        return error_errno(err, "error during connect: reading the answer");
    stream->is_finished = true;
    return true;
}

/* The JSON value of a whole body; null for an empty one. */
static json_t *parse_body(const struct strbuf *body, struct error *err)
{
    for (size_t i = 0; i < body->length; i++) {
        if (!strchr(" \t\r\n", body->data[i]))
            return json_parse(body->data, body->length, err);
    }
    return json_null();
}

json_t *client_stream_json(struct client_stream *stream, struct error *err)
{
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    return stream_read_all(stream, &body, err) ? parse_body(&body, err) : NULL;
}

void client_stream_free(struct client_stream *stream)
{
    if (!stream)
        return;
    give_back(stream->client, stream->connection, stream->is_finished && stream->head.keeps_alive);
    http_head_release(&stream->head);
    free(stream);
}

bool client_request(struct client *client, const struct client_request *request, struct strbuf *answer,
                    struct error *err)
{
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(client, request, err);
    return stream && stream_read_all(stream, answer, err);
}

static json_t *request_json(struct client *client, const struct client_request *request, struct error *err)
{
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    return client_request(client, request, &answer, err) ? parse_body(&answer, err) : NULL;
}

bool client_get_text(struct client *client, const char *path, struct strbuf *answer, struct error *err)
{
    return client_request(client, &(struct client_request){.method = "GET", .path = path}, answer, err);
}

json_t *client_get_json(struct client *client, const char *path, struct error *err)
{
    return request_json(client, &(struct client_request){.method = "GET", .path = path}, err);
}

bool client_get_elements(struct client *client, const char *path, void (*take)(void *context, const json_t *element),
                         void *context, struct error *err)
{
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    return client_get_text(client, path, &answer, err) &&
           json_parse_elements(strbuf_text(&answer), answer.length, take, context, err);
}

json_t *client_post_json(struct client *client, const char *path, const json_t *body, struct error *err)
{
    _cleanup_free_ char *text = body ? json_format(body) : NULL;
    struct client_request request = {.method = "POST", .path = path, .data = text, .length = text ? strlen(text) : 0};
    return request_json(client, &request, err);
}

json_t *client_delete_json(struct client *client, const char *path, struct error *err)
{
    return request_json(client, &(struct client_request){.method = "DELETE", .path = path}, err);
}

bool client_post(struct client *client, const char *path, const json_t *body, struct error *err)
{
    _cleanup_free_ char *text = body ? json_format(body) : NULL;
    struct client_request request = {.method = "POST", .path = path, .data = text, .length = text ? strlen(text) : 0};
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    return client_request(client, &request, &answer, err);
}

bool client_delete(struct client *client, const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    return client_request(client, &(struct client_request){.method = "DELETE", .path = path}, &answer, err);
}

void client_hijack_release(struct client_hijack *hijack)
{
    hijack->fd = close_fd(hijack->fd);
    strbuf_release(&hijack->rest);
}

bool client_hijack(struct client *client, const char *path, const json_t *body, struct client_hijack *out,
                   struct error *err)
{
    _cleanup_free_ char *text = body ? json_format(body) : NULL;
    struct client_request request = {.method = "POST",
                                     .path = path,
                                     .content_type = body ? NULL : "text/plain",
                                     .data = text,
                                     .length = text ? strlen(text) : 0};
    struct http_head head = {0};
    _cleanup_(connection_freep) struct connection *connection = perform(client, &request, true, &head, err);
    if (!connection)
        return false;
    http_head_release(&head);
    *out = CLIENT_HIJACK_INIT;
    http_take_rest(connection->reader, &out->rest);
    out->fd = TAKE_FD(connection->fd);
    return true;
}

void client_query_add(struct strbuf *path, const char *key, const char *value)
{
    if (!value)
        return;
    _cleanup_free_ char *escaped = http_escape(value);
    strbuf_addf(path, "%c%s=%s", strchr(strbuf_text(path), '?') ? '&' : '?', key, escaped);
}

char *client_path(const char *collection, const char *name, const char *rest)
{
    _cleanup_free_ char *escaped = http_escape(name);
    return xasprintf("/%s/%s%s", collection, escaped, rest);
}
