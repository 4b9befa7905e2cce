#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/text.h"

#define FIRST_ACTIVATION_FD 3 /* SD_LISTEN_FDS_START */
#define BACKLOG             1024

/* "tcp://[::1]:2375" → "::1" and "2375"; the caller frees both, whatever the answer is. */
static bool split_tcp(const char *address, const char *default_port, char **name, char **port)
{
    if (!string_starts_with(address, "tcp://"))
        return false;
    const char *text = address + strlen("tcp://");
    const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
    if (colon && bracket && colon < bracket)
        colon = NULL;
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (text[0] == '[') {
        if (!bracket || (size_t)(bracket - text) + 1 != length)
            return false;
        *name = xstrndup(text + 1, length - 2);
    } else {
        *name = xstrndup(text, length);
    }
    *port = xstrdup(colon && colon[1] ? colon + 1 : default_port);
    return !strchr(*name, '/') && strspn(*port, "0123456789") == strlen(*port);
}

bool listen_is_tcp_address(const char *address)
{
    _cleanup_free_ char *name = NULL, *port = NULL;
    return split_tcp(address, "0", &name, &port);
}

int listen_tcp(const char *address, const char *default_port, char **shown, struct error *err)
{
    _cleanup_free_ char *name = NULL, *port = NULL;
    if (!split_tcp(address, default_port, &name, &port)) {
        error_set(err, ERROR_INVALID, "invalid bind address (%s)", address);
        return -1;
    }
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int failure = getaddrinfo(*name ? name : "127.0.0.1", port, &hints, &found);
    if (failure) {
        error_set(err, ERROR_INVALID, "listen %s: %s", address, gai_strerror(failure));
        return -1;
    }
    _cleanup_close_ int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    int on = 1;
    bool is_listening = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                        bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int cause = errno;
    freeaddrinfo(found);
    if (!is_listening) {
        error_errno_value(err, cause, "listen tcp %s:%s", name, port);
        return -1;
    }
    *shown = xasprintf("%s:%s", *name ? name : "127.0.0.1", port);
    return TAKE_FD(fd);
}

bool listen_take_activated(int *first, size_t *count, struct error *err)
{
    int64_t pid, number;
    const char *for_pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    if (!for_pid || !fds || !parse_int64(for_pid, &pid) || pid != getpid() || !parse_int64(fds, &number) || number < 1)
        return error_set(err, ERROR_INVALID,
                         "no sockets found via socket activation: make sure the service was started "
                         "by systemd");
    *first = FIRST_ACTIVATION_FD;
    *count = (size_t)number;
    for (int fd = FIRST_ACTIVATION_FD; fd < FIRST_ACTIVATION_FD + number; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return true;
}
