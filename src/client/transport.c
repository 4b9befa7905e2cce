#include "client/transport.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/spawn.h"

void client_tls_release(struct client_tls *tls)
{
    free(tls->authority);
    free(tls->certificate);
    free(tls->key);
    *tls = (struct client_tls){0};
}

void address_release(struct address *address)
{
    free(address->text);
    free(address->unix_path);
    free(address->tcp_host);
    free(address->tcp_port);
    strlist_release(&address->command);
    if (address->tls)
        client_tls_release(address->tls);
    free(address->tls);
    *address = (struct address){0};
}

static struct client_tls *copy_tls(const struct client_tls *tls)
{
    struct client_tls *copy = NEW(struct client_tls);
    *copy = (struct client_tls){.authority = xstrdup(tls->authority),
                                .certificate = xstrdup(tls->certificate),
                                .key = xstrdup(tls->key),
                                .skips_verification = tls->skips_verification};
    return copy;
}

static void parse_tcp(const char *text, const struct client_tls *tls, struct address *out)
{
    const char *host = string_starts_with(text, "tcp://") ? text + strlen("tcp://") : text;
    size_t length = strcspn(host, "/");
    _cleanup_free_ char *authority = xstrndup(host, length);
    char *colon = strrchr(authority, ':');
    if (colon && strchr(colon, ']'))
        colon = NULL; /* inside the brackets of an IPv6 address */
    const char *port = colon && colon[1] ? colon + 1 : tls ? "2376" : "2375";
    if (colon)
        *colon = '\0';
    char *name = authority[0] ? authority : (char[]){"localhost"};
    _cleanup_free_ char *shown = xasprintf("tcp://%s:%s%s", name, port, host + length);
    size_t name_length = strlen(name);
    if (name[0] == '[' && name[name_length - 1] == ']') {
        name[name_length - 1] = '\0';
        name++;
    }
    *out = (struct address){.text = TAKE_PTR(shown),
                            .tcp_host = xstrdup(name),
                            .tcp_port = xstrdup(port),
                            .tls = tls ? copy_tls(tls) : NULL};
}

bool address_parse(const char *text, const struct client_tls *tls, struct address *out, struct error *err)
{
    if (string_starts_with(text, "unix://")) {
        const char *path = text + strlen("unix://");
        if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
            return error_set(err, ERROR_INVALID, "Unix socket path \"%s\" is too long", path);
        const char *known = path[0] ? path : "/var/run/docker.sock";
        *out = (struct address){.text = xasprintf("unix://%s", known), .unix_path = xstrdup(known)};
        return true;
    }
    if (string_starts_with(text, "tcp://") || !strstr(text, "://")) {
        parse_tcp(text, tls, out);
        return true;
    }
    if (string_starts_with(text, "ssh://")) {
        struct strlist command = {0};
        if (!ssh_command(text, &command, err)) {
            strlist_release(&command);
            return error_prefix(err, "ssh host connection is not valid");
        }
        *out = (struct address){.text = xstrdup(text), .command = command};
        return true;
    }
    if (string_starts_with(text, "npipe://"))
        return error_set(err, ERROR_UNSUPPORTED, "protocol not available");
    if (string_starts_with(text, "fd://"))
        return error_set(err, ERROR_UNSUPPORTED, "unable to parse docker host `%s`", text);
    return error_set(err, ERROR_INVALID, "unable to resolve docker endpoint: invalid bind address format: %s", text);
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

/* A program with one end of a socket pair as its standard streams. */
static struct connection *connect_command(const char *const *argv, struct error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        error_errno(err, "socketpair");
        return NULL;
    }
    int complaints = memfd_create("complaints", MFD_CLOEXEC);
    struct spawn_options options = {
        .argv = argv, .fds = (int[]){pair[1], pair[1], complaints}, .fd_count = 3, .wants_session = true};
    pid_t pid = complaints < 0 ? -1 : spawn(&options, err);
    close_fd(pair[1]);
    if (pid < 0) {
        close_fd(pair[0]);
        close_fd(complaints);
        return NULL;
    }
    struct connection *connection = NEW(struct connection);
    *connection = (struct connection){.fd = pair[0], .pid = pid, .complaints = complaints};
    return connection;
}

/* wherry-tls lies beside us. */
static char *tls_program(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[MAX(length, 0)] = '\0';
    char *slash = strrchr(path, '/');
    return slash ? xasprintf("%.*s/wherry-tls", (int)(slash - path), path) : xstrdup("wherry-tls");
}

/* The helper's first line is "ok" or what went wrong with the connection. */
static struct connection *connect_tls(const struct address *address, struct error *err)
{
    const struct client_tls *tls = address->tls;
    _cleanup_free_ char *program = tls_program();
    const char *argv[] = {program,
                          address->tcp_host,
                          address->tcp_port,
                          tls->skips_verification ? "skip" : "verify",
                          string_or_empty(tls->authority),
                          string_or_empty(tls->certificate),
                          string_or_empty(tls->key),
                          NULL};
    _cleanup_(connection_freep) struct connection *connection = connect_command(argv, err);
    if (!connection)
        return NULL;
    _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
    char byte = 0;
    while (line.length < 4096 && read(connection->fd, &byte, 1) == 1 && byte != '\n')
        strbuf_add_char(&line, byte);
    if (string_equal(strbuf_text(&line), "ok"))
        return TAKE_PTR(connection);
    if (string_equal(strbuf_text(&line), "refused"))
        error_set(err, ERROR_UNAVAILABLE, "Cannot connect to the Docker daemon at %s. Is the docker daemon running?",
                  address->text);
    else
        error_set(err, ERROR_UNAVAILABLE, "error during connect: %s",
                  line.length ? strbuf_text(&line) : "wherry-tls has ended");
    return NULL;
}

struct connection *connection_open(const struct address *address, struct error *err)
{
    struct connection *connection = NULL;
    if (address->command.count > 0) {
        connection = connect_command((const char *const *)address->command.items, err);
    } else if (address->tls) {
        connection = connect_tls(address, err);
    } else {
        int fd = address->unix_path ? connect_unix(address, err) : connect_tcp(address, err);
        if (fd < 0)
            return NULL;
        connection = NEW(struct connection);
        *connection = (struct connection){.fd = fd, .complaints = -1};
    }
    if (connection)
        connection->reader = http_reader_new(connection->fd);
    return connection;
}

void connection_explain(struct connection *connection, const struct address *address, struct error *err)
{
    if (connection->pid <= 0 || address->command.count == 0)
        return;
    int status = 0;
    if (waitpid(connection->pid, &status, 0) < 0)
        return;
    connection->pid = 0;
    char text[4096];
    ssize_t length = pread(connection->complaints, text, sizeof(text) - 1, 0);
    _cleanup_free_ char *words = strlist_join(&address->command, " ");
    error_set(
        err, ERROR_UNAVAILABLE,
        "error during connect: command [%s] has exited with exit status %d, make sure the URL is valid, and Docker "
        "18.09 or later is installed on the remote host: stderr=%.*s",
        words, WIFEXITED(status) ? WEXITSTATUS(status) : -1, (int)MAX(length, 0), text);
}

/* A program behind the connection ends by itself when it reads the end. */
void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    http_reader_free(connection->reader);
    close_fd(connection->fd);
    close_fd(connection->complaints);
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
