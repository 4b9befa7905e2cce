/* wherry-tls: makes a TLS connection to an engine for wherry, whose plain bytes are our standard streams (one socket).

       wherry-tls HOST PORT verify|skip CA CERTIFICATE KEY        an empty word: none

   The first line that we write is "ok", "refused" (nobody listens), or what went wrong; after "ok" come the engine's
   bytes. Each side's end of sending is passed on by itself: half-closed connections stay usable the other way. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#define PLAIN STDIN_FILENO
#define PIECE 16384

static int say(const char *text)
{
    dprintf(PLAIN, "%s\n", text);
    return EXIT_FAILURE;
}

static int say_ssl(const char *what)
{
    unsigned long code = ERR_get_error();
    char text[256] = "unexpected end";
    if (code)
        ERR_error_string_n(code, text, sizeof(text));
    dprintf(PLAIN, "%s: %s\n", what, text);
    return EXIT_FAILURE;
}

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int status = getaddrinfo(host, port, &hints, &list);
    if (status) {
        dprintf(PLAIN, "dial tcp: lookup %s: %s\n", host, gai_strerror(status));
        return -1;
    }
    int found = -1;
    for (struct addrinfo *at = list; at && found < 0; at = at->ai_next) {
        _cleanup_close_ int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, at->ai_addr, at->ai_addrlen) < 0)
            continue;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        found = TAKE_FD(fd);
    }
    freeaddrinfo(list);
    if (found < 0)
        say("refused");
    return found;
}

/* Bytes on their way in one direction. */
struct flow {
    char bytes[PIECE];
    size_t start, end;
    bool has_ended; /* its source will give no more */
    bool is_closed; /* and its target knows */
};

/* Takes from the plain side what there is room for; and gives to it. -1: the connection is over. */
static int move_plain(struct flow *to_engine, struct flow *to_plain, short events)
{
    if ((events & (POLLIN | POLLHUP)) && to_engine->start == to_engine->end && !to_engine->has_ended) {
        ssize_t count = recv(PLAIN, to_engine->bytes, PIECE, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
            to_engine->has_ended = true;
        to_engine->start = 0;
        to_engine->end = count > 0 ? (size_t)count : 0;
    }
    if (to_plain->start < to_plain->end) {
        ssize_t count = send(PLAIN, to_plain->bytes + to_plain->start, to_plain->end - to_plain->start,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        to_plain->start += count > 0 ? (size_t)count : 0;
    }
    if (to_plain->has_ended && to_plain->start == to_plain->end && !to_plain->is_closed) {
        shutdown(PLAIN, SHUT_WR);
        to_plain->is_closed = true;
    }
    return 0;
}

/* What OpenSSL waits for in each direction, as poll's events: 0 where it can be called again at once. */
struct waits {
    short reading, writing;
};

static short wait_of(int why)
{
    return why == SSL_ERROR_WANT_WRITE ? POLLOUT : why == SSL_ERROR_WANT_READ ? POLLIN : 0;
}

static int move_tls(SSL *ssl, struct flow *to_engine, struct flow *to_plain, struct waits *waits)
{
    *waits = (struct waits){0};
    if (to_plain->start == to_plain->end && !to_plain->has_ended) {
        int count = SSL_read(ssl, to_plain->bytes, PIECE);
        to_plain->start = 0;
        to_plain->end = count > 0 ? (size_t)count : 0;
        if (count <= 0) {
            waits->reading = wait_of(SSL_get_error(ssl, count));
            to_plain->has_ended = !waits->reading;
        }
    }
    if (to_engine->start < to_engine->end) {
        int count = SSL_write(ssl, to_engine->bytes + to_engine->start, (int)(to_engine->end - to_engine->start));
        if (count > 0) {
            to_engine->start += (size_t)count;
        } else {
            waits->writing = wait_of(SSL_get_error(ssl, count));
            if (!waits->writing)
                return -1;
        }
    }
    if (to_engine->has_ended && to_engine->start == to_engine->end && !to_engine->is_closed) {
        SSL_shutdown(ssl); /* sends close_notify; the other way stays open */
        to_engine->is_closed = true;
    }
    return 0;
}

static void pump(SSL *ssl, int fd)
{
    static struct flow to_engine, to_plain;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    short plain_events = 0;
    bool is_gone = false;
    while (!to_plain.is_closed && !(is_gone && to_engine.is_closed)) {
        struct waits waits;
        if (move_tls(ssl, &to_engine, &to_plain, &waits) < 0 || move_plain(&to_engine, &to_plain, plain_events) < 0)
            return;
        plain_events = 0;
        bool can_read = to_plain.start == to_plain.end && !to_plain.is_closed && !waits.reading;
        bool can_write = to_engine.start < to_engine.end && !waits.writing;
        bool can_close = to_engine.has_ended && !to_engine.is_closed && to_engine.start == to_engine.end;
        struct pollfd polled[] = {
            {fd, (short)(waits.reading | waits.writing), 0},
            {PLAIN,
             (short)((to_engine.start == to_engine.end && !to_engine.has_ended ? POLLIN : 0) |
                     (to_plain.start < to_plain.end ? POLLOUT : 0)),
             0},
        };
        if (poll(polled, 2, can_read || can_write || can_close ? 0 : -1) < 0 && errno != EINTR)
            return;
        plain_events = polled[1].revents;
        is_gone = is_gone || (plain_events & POLLHUP);
    }
}

static int prepare(SSL_CTX *context, char **words)
{
    const char *authority = words[4], *certificate = words[5], *key = words[6];
    bool verifies = string_equal(words[3], "verify");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (verifies) {
        int is_loaded = string_is_set(authority) ? SSL_CTX_load_verify_locations(context, authority, NULL)
                                                 : SSL_CTX_set_default_verify_paths(context);
        if (!is_loaded)
            return say_ssl("could not read CA certificate");
    }
    if (string_is_set(certificate) && SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return say_ssl("could not load X509 key pair");
    if (string_is_set(certificate) && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return say_ssl("could not load X509 key pair");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "Usage:  wherry-tls HOST PORT verify|skip CA CERTIFICATE KEY\n");
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (prepare(context, argv) != 0)
        return EXIT_FAILURE;
    int fd = dial(argv[1], argv[2]);
    if (fd < 0)
        return EXIT_FAILURE;
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    unsigned char ignored[16];
    bool is_address = inet_pton(AF_INET, argv[1], ignored) == 1 || inet_pton(AF_INET6, argv[1], ignored) == 1;
    if (is_address)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), argv[1]);
    else {
        SSL_set_tlsext_host_name(ssl, argv[1]);
        SSL_set1_host(ssl, argv[1]);
    }
    if (SSL_connect(ssl) != 1) {
        long verified = SSL_get_verify_result(ssl);
        if (verified == X509_V_OK)
            return say_ssl("tls");
        dprintf(PLAIN, "tls: failed to verify certificate: x509: %s\n", X509_verify_cert_error_string(verified));
        return EXIT_FAILURE;
    }
    dprintf(PLAIN, "ok\n");
    pump(ssl, fd);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return EXIT_SUCCESS;
}
