#include "daemon/host.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/listen.h"

#define BACKLOG 1024

static bool check_address(const char *host, struct error *err)
{
    if (string_starts_with(host, "unix://")) {
        const char *path = host + strlen("unix://");
        if (*path && strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
            return error_set(err, ERROR_INVALID, "invalid bind address (%s): the path of the socket is too long", host);
        return true;
    }
    if (string_starts_with(host, "tcp://"))
        return listen_is_tcp_address(host) ||
               error_set(err, ERROR_INVALID, "invalid bind address (%s): should be of the form tcp://HOST:PORT", host);
    if (string_starts_with(host, "fd://"))
        return true;
    const char *colon = strstr(host, "://");
    if (colon)
        return error_set(err, ERROR_INVALID, "invalid bind address (%s): unsupported proto '%.*s'", host,
                         (int)(colon - host), host);
    return error_set(err, ERROR_INVALID, "invalid bind address (%s): it must start with unix://, tcp:// or fd://",
                     host);
}

/* What stands behind the comma of "unix:///run/ro.sock,role=read,group=monitor". */
struct host_parts {
    char *address, *group, *label; /* NULL where none is given */
    bool is_read_only;
};

static void host_parts_release(struct host_parts *parts)
{
    free(parts->address);
    free(parts->group);
    free(parts->label);
}

static bool parse_part(const char *host, const char *word, struct host_parts *parts, struct error *err)
{
    if (string_equal(word, "role=read"))
        parts->is_read_only = true;
    else if (string_equal(word, "role=full"))
        parts->is_read_only = false;
    else if (string_starts_with(word, "role="))
        return error_set(err, ERROR_INVALID, "invalid bind address (%s): unknown role '%s', it must be read or full",
                         host, word + strlen("role="));
    else if (string_starts_with(word, "label="))
        string_replace(&parts->label, word + strlen("label="));
    else if (string_starts_with(word, "group=") && string_starts_with(parts->address, "unix://"))
        string_replace(&parts->group, word + strlen("group="));
    else if (string_starts_with(word, "group="))
        return error_set(err, ERROR_INVALID, "invalid bind address (%s): group= is for unix sockets", host);
    else
        return error_set(err, ERROR_INVALID, "invalid bind address (%s): unknown option '%s'", host, word);
    return true;
}

/* Release *parts whatever the answer is. */
static bool split_host(const char *host, struct host_parts *parts, struct error *err)
{
    _cleanup_strlist_ struct strlist words = strlist_split(host, ',');
    *parts = (struct host_parts){.address = xstrdup(words.count ? words.items[0] : "")};
    for (size_t i = 1; i < words.count; i++)
        if (!parse_part(host, words.items[i], parts, err))
            return false;
    return true;
}

static bool make_role(const char *host, const struct host_parts *parts, struct role **out, struct error *err)
{
    return role_new(parts->is_read_only, parts->label, out, err) ||
           error_prefix(err, "invalid bind address (%s)", host);
}

bool host_check(const char *host, struct error *err)
{
    _cleanup_(host_parts_release) struct host_parts parts;
    struct role *role = NULL;
    bool is_good =
        split_host(host, &parts, err) && check_address(parts.address, err) && make_role(host, &parts, &role, err);
    role_free(role);
    return is_good;
}

static bool unix_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path))
        return false;
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}

bool host_is_answering(const char *path)
{
    struct sockaddr_un address;
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !unix_address(path, &address))
        return false;
    /* EAGAIN: the queue is full, so someone has it. */
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
}

static bool find_group(const char *name, gid_t *out, struct error *err)
{
    const struct group *group = getgrnam(name ? name : "docker");
    int64_t number;
    if (group)
        *out = group->gr_gid;
    else if (!name)
        *out = 0;
    else if (parse_int64(name, &number) && number >= 0)
        *out = (gid_t)number;
    else
        return error_set(err, ERROR_INVALID, "could not change group of the socket to %s: group %s not found", name,
                         name);
    return true;
}

static void add(struct listener **listeners, size_t *count, int fd, char *name)
{
    *APPEND(*listeners, *count) = (struct listener){.fd = fd, .name = name};
}

static bool listen_unix(const char *path, const char *group_name, struct listener **listeners, size_t *count,
                        struct error *err)
{
    struct sockaddr_un address;
    gid_t group = 0;
    if (!find_group(group_name, &group, err))
        return false;
    if (!unix_address(path, &address))
        return error_set(err, ERROR_INVALID, "the path of the socket is too long: %s", path);
    if (host_is_answering(path))
        return error_set(err, ERROR_CONFLICT, "can't create unix socket %s: another server listens on it", path);
    _cleanup_free_ char *slash = xstrdup(path);
    *strrchr(slash, '/') = '\0';
    if (*slash && !directory_make(slash, 0755, err))
        return false;
    if (unlink(path) < 0 && errno != ENOENT)
        return error_errno(err, "can't create unix socket %s", path);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Until the mode is set, the umask keeps everyone but root from connecting. */
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chown(path, 0, group) < 0 ||
        chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0)
        return error_errno(err, "can't create unix socket %s", path);
    add(listeners, count, TAKE_FD(fd), xstrdup(path));
    return true;
}

static bool add_tcp(const char *host, const char *default_port, struct listener **listeners, size_t *count,
                    struct error *err)
{
    char *name;
    int fd = listen_tcp(host, default_port, &name, err);
    if (fd < 0)
        return false;
    add(listeners, count, fd, name);
    (*listeners)[*count - 1].is_tcp = true;
    return true;
}

static bool add_activated(struct listener **listeners, size_t *count, struct error *err)
{
    int first;
    size_t number;
    if (!listen_take_activated(&first, &number, err))
        return false;
    for (int fd = first; fd < first + (int)number; fd++)
        add(listeners, count, fd, xasprintf("fd://%d", fd));
    return true;
}

static bool open_address(const char *host, const char *group, const char *port, struct listener **listeners,
                         size_t *count, struct error *err)
{
    if (string_starts_with(host, "unix://")) {
        const char *path = host + strlen("unix://");
        return listen_unix(*path ? path : "/var/run/docker.sock", group, listeners, count, err);
    }
    if (string_starts_with(host, "tcp://"))
        return add_tcp(host, port, listeners, count, err);
    if (string_starts_with(host, "fd://"))
        return add_activated(listeners, count, err);
    return check_address(host, err);
}

bool host_listen(const char *host, const char *group, const char *port, struct listener **listeners, size_t *count,
                 struct error *err)
{
    _cleanup_(host_parts_release) struct host_parts parts;
    size_t first = *count;
    if (!split_host(host, &parts, err) ||
        !open_address(parts.address, parts.group ? parts.group : group, port, listeners, count, err))
        return false;
    bool is_good = true;
    for (size_t i = first; i < *count && is_good; i++)
        is_good = make_role(host, &parts, &(*listeners)[i].role, err);
    return is_good;
}

void listeners_unlink(const struct listener *listeners, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (listeners[i].name[0] == '/')
            unlink(listeners[i].name);
}

void listeners_free(struct listener *listeners, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(listeners[i].name);
        role_free(listeners[i].role);
    }
    free(listeners);
}
