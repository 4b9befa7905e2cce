#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#define BUFFER_SIZE       ((size_t)32 * 1024)
#define PUMP_STACK        ((size_t)128 * 1024)
#define HANDSHAKE_TIMEOUT (10 * NANOSECONDS_PER_SECOND)
#define PLAIN_HTTP_ANSWER "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

struct tls {
    SSL_CTX *context;
};

static bool open_error(struct error *err, const char *path, const char *format, const char *other)
{
    int code = access(path, R_OK) < 0 ? errno : 0;
    _cleanup_free_ char *what = other ? xasprintf(format, path, other) : xasprintf(format, path);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (code)
        return error_errno_value(err, code, "invalid TLS configuration: %s: open %s", what, path);
    return error_set(err, ERROR_INVALID, "invalid TLS configuration: %s: %s", what, reason ? reason : "unreadable");
}

static bool load(SSL_CTX *context, const char *certificate, const char *key, const char *ca, struct error *err)
{
    static const char pair[] = "Could not load X509 key pair (cert: \"%s\", key: \"%s\")";
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        int code = access(certificate, R_OK) < 0 ? errno : 0;
        _cleanup_free_ char *what = xasprintf(pair, certificate, key);
        return code ? error_errno_value(err, code, "invalid TLS configuration: %s: open %s", what, certificate)
                    : error_set(err, ERROR_INVALID, "invalid TLS configuration: %s: no certificate in it", what);
    }
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(context) != 1) {
        int code = access(key, R_OK) < 0 ? errno : 0;
        _cleanup_free_ char *what = xasprintf(pair, certificate, key);
        return code ? error_errno_value(err, code, "invalid TLS configuration: %s: open %s", what, key)
                    : error_set(err, ERROR_INVALID, "invalid TLS configuration: %s: the key is not the certificate's",
                                what);
    }
    if (!ca)
        return true;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (!names || SSL_CTX_load_verify_locations(context, ca, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return open_error(err, ca, "could not read CA certificate \"%s\"", NULL);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

struct tls *tls_new(const char *certificate, const char *key, const char *ca, struct error *err)
{
    static const unsigned char session[] = "wherryd";
    struct tls *tls = NEW(struct tls);
    tls->context = SSL_CTX_new(TLS_server_method());
    bool is_good = tls->context != NULL || error_set(err, ERROR_INTERNAL, "cannot set up TLS");
    if (is_good) {
        SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
        SSL_CTX_set_options(tls->context,
                            SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                           SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_id_context(tls->context, session, sizeof(session) - 1);
        is_good = load(tls->context, certificate, key, ca, err);
    }
    if (is_good)
        return tls;
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* --- one connection --- */

/* Bytes on their way in one direction. */
struct flow {
    unsigned char *data;
    size_t start, end;
    bool is_over;  /* no more comes */
    bool is_ended; /* and the other side was told */
};

struct pump {
    SSL *ssl;
    int client, plain;
    struct flow in, out; /* from the client, to the client */
    short wants;         /* what TLS itself waits for */
    bool has_moved;      /* some bytes, or an end, in this turn */
};

static bool is_later(struct pump *pump, int result)
{
    int code = SSL_get_error(pump->ssl, result);
    if (code == SSL_ERROR_WANT_READ)
        pump->wants |= POLLIN;
    else if (code == SSL_ERROR_WANT_WRITE)
        pump->wants |= POLLOUT;
    else
        return false;
    return true;
}

/* As Go's server. What the client has sent is read away: closing with it unread would reset the connection, and the
   answer with it. */
static void answer_plain(int client)
{
    static const char answer[] = PLAIN_HTTP_ANSWER;
    char dropped[4096];
    struct pollfd ready = {.fd = client, .events = POLLIN};
    (void)!send(client, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    for (int i = 0; i < 64 && poll(&ready, 1, 1000) > 0; i++)
        if (recv(client, dropped, sizeof(dropped), 0) <= 0)
            break;
}

static bool handshake(struct pump *pump)
{
    int64_t deadline = clock_monotonic() + HANDSHAKE_TIMEOUT;
    for (;;) {
        ERR_clear_error();
        int result = SSL_accept(pump->ssl);
        if (result == 1)
            return true;
        pump->wants = 0;
        if (!is_later(pump, result)) {
            unsigned long code = ERR_peek_last_error();
            const char *reason = ERR_reason_error_string(code);
            if (ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)
                answer_plain(pump->client);
            log_info("http: TLS handshake error: %s", reason ? reason : "EOF");
            return false;
        }
        int64_t left = deadline - clock_monotonic();
        struct pollfd ready = {.fd = pump->client, .events = pump->wants};
        if (left <= 0 || (poll(&ready, 1, (int)(left / 1000000) + 1) <= 0 && errno != EINTR))
            return false;
    }
}

/* What the client has sent, as far as there is room. False where the connection is broken. */
static bool read_client(struct pump *pump)
{
    struct flow *in = &pump->in;
    while (!in->is_over && in->start == in->end) {
        ERR_clear_error();
        int result = SSL_read(pump->ssl, in->data, (int)BUFFER_SIZE);
        if (result > 0) {
            in->start = 0;
            in->end = (size_t)result;
            pump->has_moved = true;
        } else if (is_later(pump, result)) {
            break;
        } else if (SSL_get_error(pump->ssl, result) == SSL_ERROR_ZERO_RETURN) {
            in->is_over = pump->has_moved = true;
        } else {
            return false;
        }
    }
    return true;
}

static bool write_plain(struct pump *pump)
{
    struct flow *in = &pump->in;
    while (in->start < in->end) {
        ssize_t count = send(pump->plain, in->data + in->start, in->end - in->start, MSG_NOSIGNAL);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        in->start += (size_t)count;
        pump->has_moved = true;
    }
    if (in->is_over && !in->is_ended) {
        shutdown(pump->plain, SHUT_WR);
        in->is_ended = true;
    }
    return true;
}

static bool read_plain(struct pump *pump)
{
    struct flow *out = &pump->out;
    if (out->is_over || out->start < out->end)
        return true;
    ssize_t count = recv(pump->plain, out->data, BUFFER_SIZE, 0);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    out->start = 0;
    out->end = (size_t)count;
    out->is_over = count == 0;
    pump->has_moved = true;
    return true;
}

static bool write_client(struct pump *pump)
{
    struct flow *out = &pump->out;
    while (out->start < out->end) {
        ERR_clear_error();
        int result = SSL_write(pump->ssl, out->data + out->start, (int)(out->end - out->start));
        if (result <= 0)
            return is_later(pump, result);
        out->start += (size_t)result;
        pump->has_moved = true;
    }
    if (out->is_over && !out->is_ended) {
        SSL_shutdown(pump->ssl);
        shutdown(pump->client, SHUT_WR);
        out->is_ended = true;
    }
    return true;
}

/* Moves what can be moved; false at the end of the connection. */
static bool turn(struct pump *pump)
{
    do {
        pump->wants = 0;
        pump->has_moved = false;
        if (!read_client(pump) || !write_plain(pump) || !read_plain(pump) || !write_client(pump))
            return false;
        if (pump->out.is_ended && pump->in.is_ended)
            return false;
    } while (pump->has_moved);
    return true;
}

static bool wait_ready(struct pump *pump)
{
    struct pollfd ready[] = {{.fd = pump->client, .events = pump->wants}, {.fd = pump->plain}};
    if (pump->in.start < pump->in.end)
        ready[1].events |= POLLOUT;
    if (!pump->out.is_over && pump->out.start == pump->out.end)
        ready[1].events |= POLLIN;
    /* The handler has closed its end, and the client was told: what it still sends has no reader. */
    if (pump->out.is_ended)
        ready[1].events = ready[1].events & POLLOUT;
    int count;
    do
        count = poll(ready, ARRAY_SIZE(ready), -1);
    while (count < 0 && errno == EINTR);
    bool is_client_gone = (ready[0].revents & (POLLERR | POLLHUP)) && !(ready[0].events & POLLIN);
    bool is_handler_gone = (ready[1].revents & (POLLERR | POLLHUP)) && pump->out.is_ended;
    return count > 0 && !is_client_gone && !is_handler_gone;
}

static void *pump_main(void *argument)
{
    struct pump *pump = argument;
    if (handshake(pump))
        while (turn(pump) && wait_ready(pump))
            ;
    SSL_free(pump->ssl);
    close_fd(pump->client);
    close_fd(pump->plain);
    free(pump->in.data);
    free(pump->out.data);
    free(pump);
    return NULL;
}

int tls_wrap(void *context, int fd)
{
    struct tls *tls = context;
    int ends[2] = {-1, -1};
    struct pump *pump = NEW(struct pump);
    *pump = (struct pump){.ssl = SSL_new(tls->context), .client = fd, .plain = -1};
    pump->in.data = xmalloc(BUFFER_SIZE);
    pump->out.data = xmalloc(BUFFER_SIZE);
    bool is_good = pump->ssl && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
    if (is_good) {
        pump->plain = ends[0];
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK);
        is_good = SSL_set_fd(pump->ssl, fd) == 1;
    }
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, PUMP_STACK);
    is_good = is_good && pthread_create(&thread, &attributes, pump_main, pump) == 0;
    pthread_attr_destroy(&attributes);
    if (is_good)
        return ends[1];
    SSL_free(pump->ssl);
    free(pump->in.data);
    free(pump->out.data);
    free(pump);
    close_fd(fd);
    close_fd(ends[0]);
    close_fd(ends[1]);
    return -1;
}
