#include "logger/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/memory.h"
#include "base/text.h"
#include "logger/tls.h"

#define CONNECT_MILLISECONDS 10000
#define WRITE_MILLISECONDS   10000

struct transport {
    int fd;
    struct tls *tls; /* NULL: none */
};

void transport_split(const char *text, const char *default_port, char **host, char **port)
{
    const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');
    if (colon && bracket && colon < bracket)
        colon = NULL;
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    *port = xstrdup(colon && colon[1] ? colon + 1 : default_port);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
        *host = xstrndup(text + 1, length - 2);
    else
        *host = xstrndup(text, length);
}

static bool wait_for(int fd, short events, int milliseconds)
{
    struct pollfd polled = {fd, events, 0};
    int count;
    while ((count = poll(&polled, 1, milliseconds)) < 0 && errno == EINTR) {
    }
    if (count == 0)
        errno = ETIMEDOUT;
    return count > 0;
}

/* Of a socket that does not block. */
static bool finish_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (connect(fd, address, length) == 0)
        return true;
    if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, CONNECT_MILLISECONDS))
        return false;
    int failure = 0;
    socklen_t size = sizeof(failure);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    errno = failure;
    return failure == 0;
}

static int connect_unix(const char *path, int type, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *network = type == SOCK_DGRAM ? "unixgram" : "unix";
    if (strlen(path) >= sizeof(address.sun_path)) {
        error_set(err, ERROR_INTERNAL, "dial %s %s: connect: invalid argument", network, path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    _cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !finish_connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
        error_set(err, ERROR_INTERNAL, "dial %s %s: connect: %s", network, path, errno_text(errno));
        return -1;
    }
    return TAKE_FD(fd);
}

/* Go names the address that it has tried last. */
static int connect_inet(const struct transport_address *to, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = string_equal(to->network, "udp") ? SOCK_DGRAM : SOCK_STREAM}, *found;
    int code = getaddrinfo(*to->host ? to->host : "localhost", to->port, &hints, &found);
    if (code != 0) {
        error_set(err, ERROR_INTERNAL, "dial %s: lookup %s: %s", to->network, to->host,
                  code == EAI_NONAME ? "no such host" : gai_strerror(code));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *entry = found; entry && fd < 0; entry = entry->ai_next) {
        fd = socket(entry->ai_family, entry->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, entry->ai_protocol);
        if (fd >= 0 && finish_connect(fd, entry->ai_addr, entry->ai_addrlen))
            break;
        char host[NI_MAXHOST] = "";
        const char *reason = errno_text(errno);
        getnameinfo(entry->ai_addr, entry->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
        error_set(err, ERROR_INTERNAL, "dial %s %s%s%s:%s: connect: %s", to->network,
                  entry->ai_family == AF_INET6 ? "[" : "", host, entry->ai_family == AF_INET6 ? "]" : "", to->port,
                  reason);
        fd = close_fd(fd);
    }
    freeaddrinfo(found);
    return fd;
}

struct transport *transport_open(const struct transport_address *address, struct error *err)
{
    struct error why = ERROR_INIT;
    int fd = string_equal(address->network, "unix")       ? connect_unix(address->host, SOCK_STREAM, &why)
             : string_equal(address->network, "unixgram") ? connect_unix(address->host, SOCK_DGRAM, &why)
                                                          : connect_inet(address, &why);
    if (fd < 0) {
        error_move(err, &why);
        return NULL;
    }
    error_release(&why);
    struct tls *tls = NULL;
    if (address->tls) {
        /* OpenSSL's calls are simpler on a socket that blocks; the kernel bounds them. */
        struct timeval limit = {.tv_sec = WRITE_MILLISECONDS / 1000};
        fcntl(fd, F_SETFL, 0);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        tls = tls_open(fd, address->host, address->tls, err);
        if (!tls) {
            close(fd);
            return NULL;
        }
    }
    struct transport *transport = NEW(struct transport);
    transport->fd = fd;
    transport->tls = tls;
    return transport;
}

void transport_close(struct transport *transport)
{
    if (!transport)
        return;
    tls_close(transport->tls);
    close_fd(transport->fd);
    free(transport);
}

/* A server that has closed its side is seen before the first write to it is lost. */
static bool is_closed(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED);
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

bool transport_write(struct transport *transport, const void *data, size_t length)
{
    const char *at = data;
    if (is_stream(transport->fd) && is_closed(transport->fd))
        return false;
    if (transport->tls)
        return tls_write(transport->tls, data, length);
    while (length) {
        ssize_t n = send(transport->fd, at, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && wait_for(transport->fd, POLLOUT, WRITE_MILLISECONDS))
            continue;
        if (n < 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

long transport_read(struct transport *transport, void *data, size_t length, int milliseconds)
{
    if (transport->tls)
        return tls_read(transport->tls, data, length);
    if (!wait_for(transport->fd, POLLIN, milliseconds))
        return 0;
    return recv(transport->fd, data, length, 0);
}
