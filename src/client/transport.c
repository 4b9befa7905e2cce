#include "client/transport.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/memory.h"

void address_release(struct address *address)
{
    free(address->text);
    free(address->unix_path);
    free(address->tcp_host);
    free(address->tcp_port);
    *address = (struct address){0};
}

bool address_parse(const char *text, struct address *out, struct error *err)
{
    if (string_starts_with(text, "unix://")) {
        const char *path = text + strlen("unix://");
        if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
            return error_set(err, ERROR_INVALID, "Unix socket path \"%s\" is too long", path);
        *out = (struct address){.text = xstrdup(text), .unix_path = xstrdup(path[0] ? path : "/var/run/docker.sock")};
        return true;
    }
    if (string_starts_with(text, "tcp://") || (strchr(text, ':') && !strstr(text, "://"))) {
        const char *host = string_starts_with(text, "tcp://") ? text + strlen("tcp://") : text;
        size_t length = strcspn(host, "/");
        _cleanup_free_ char *authority = xstrndup(host, length);
        char *colon = strrchr(authority, ':');
        if (colon && strchr(colon, ']'))
            colon = NULL; /* inside the brackets of an IPv6 address */
        const char *port = colon ? colon + 1 : "2375";
        if (colon)
            *colon = '\0';
        char *name = authority;
        size_t name_length = strlen(name);
        if (name[0] == '[' && name[name_length - 1] == ']') {
            name[name_length - 1] = '\0';
            name++;
        }
        *out = (struct address){.text = xasprintf("tcp://%s", host),
                                .tcp_host = xstrdup(name[0] ? name : "localhost"),
                                .tcp_port = xstrdup(port)};
        return true;
    }
    if (string_starts_with(text, "ssh://") || string_starts_with(text, "npipe://") || string_starts_with(text, "fd://"))
        return error_set(err, ERROR_UNSUPPORTED, "%.*s addresses are not supported: use unix:// or tcp://",
                         (int)strcspn(text, ":") + 3, text);
    return error_set(err, ERROR_INVALID, "invalid bind address format: %s", text);
}

static bool connect_failed(const struct address *address, struct error *err)
{
    int cause = errno;
    if (address->unix_path && (cause == EACCES || cause == EPERM)) {
        error_set(err, ERROR_UNAVAILABLE,
                  "permission denied while trying to connect to the Docker daemon socket at %s: dial unix %s: connect: "
                  "permission denied",
                  address->text, address->unix_path);
    } else {
        error_set(err, ERROR_UNAVAILABLE, "Cannot connect to the Docker daemon at %s. Is the docker daemon running?",
                  address->text);
    }
    if (err)
        err->errno_value = cause;
    return false;
}

static int connect_unix(const struct address *address, struct error *err)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, address->unix_path, strlen(address->unix_path) + 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
        connect_failed(address, err);
        return -1;
    }
    return TAKE_FD(fd);
}

static int connect_tcp(const struct address *address, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int status = getaddrinfo(address->tcp_host, address->tcp_port, &hints, &list);
    if (status != 0) {
        error_set(err, ERROR_UNAVAILABLE, "error during connect: dial tcp: lookup %s: %s", address->tcp_host,
                  gai_strerror(status));
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
    int cause = errno;
    freeaddrinfo(list);
    errno = cause;
    if (found < 0)
        connect_failed(address, err);
    return found;
}

struct connection *connection_open(const struct address *address, struct error *err)
{
    int fd = address->unix_path ? connect_unix(address, err) : connect_tcp(address, err);
    if (fd < 0)
        return NULL;
    struct connection *connection = NEW(struct connection);
    connection->fd = fd;
    connection->reader = http_reader_new(fd);
    return connection;
}

void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    http_reader_free(connection->reader);
    close_fd(connection->fd);
    free(connection);
}

int send_full(int fd, const void *data, size_t length)
{
    const char *bytes = data;
    while (length > 0) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}
