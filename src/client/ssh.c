/* ssh:// addresses: the connection is the standard streams of `docker system dial-stdio` on the other machine. */
#include <string.h>

#include "base/memory.h"
#include "client/transport.h"

/* wherry where the other machine has it, else docker. The remote shell takes it as one line. */
#define REMOTE "command -v wherry >/dev/null 2>&1 && exec wherry%s system dial-stdio; exec docker%s system dial-stdio"

static bool is_plain_path(const char *path)
{
    return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@")] == '\0';
}

bool ssh_command(const char *url, struct strlist *command, struct error *err)
{
    const char *rest = url + strlen("ssh://");
    if (strchr(rest, '?'))
        return error_set(err, ERROR_INVALID, "invalid SSH URL: query parameters are not allowed: \"%s\"",
                         strchr(rest, '?') + 1);
    if (strchr(rest, '#'))
        return error_set(err, ERROR_INVALID, "invalid SSH URL: fragments are not allowed: \"%s\"",
                         strchr(rest, '#') + 1);
    size_t length = strcspn(rest, "/");
    const char *path = rest + length;
    _cleanup_free_ char *authority = xstrndup(rest, length);
    char *at = strrchr(authority, '@'), *host = at ? at + 1 : authority, *user = at ? authority : NULL;
    if (at)
        *at = '\0';
    if (user && strchr(user, ':'))
        return error_set(err, ERROR_INVALID, "invalid SSH URL: plain-text password is not supported");
    char *port = strrchr(host, ':');
    if (port && strchr(port, ']'))
        port = NULL;
    if (port)
        *port++ = '\0';
    if (host[0] == '[' && string_ends_with(host, "]")) {
        host[strlen(host) - 1] = '\0';
        host++;
    }
    if (!*host)
        return error_set(err, ERROR_INVALID, "invalid SSH URL: hostname is empty");
    if (!is_plain_path(path))
        return error_set(err, ERROR_INVALID,
                         "invalid SSH URL: the path of the socket has characters that are not allowed: %s", path);
    static const char *const first[] = {"ssh", "-o", "ConnectTimeout=30", "-T"};
    for (size_t i = 0; i < ARRAY_SIZE(first); i++)
        strlist_add(command, first[i]);
    if (string_is_set(user)) {
        strlist_add(command, "-l");
        strlist_add(command, user);
    }
    if (string_is_set(port)) {
        strlist_add(command, "-p");
        strlist_add(command, port);
    }
    strlist_add(command, "--");
    strlist_add(command, host);
    _cleanup_free_ char *flag = path[strspn(path, "/")] ? xasprintf(" --host unix://%s", path) : xstrdup("");
    strlist_addf(command, REMOTE, flag, flag);
    return true;
}
