#include "store/ports.h"

#include <string.h>

#include "base/memory.h"

static bool parse_range(const char *text, int64_t *first, int64_t *last)
{
    const char *dash = strchr(text, '-');
    _cleanup_free_ char *start = dash ? xstrndup(text, (size_t)(dash - text)) : xstrdup(text);
    uint64_t low, high;
    if (!parse_uint64(start, &low) || !parse_uint64(dash ? dash + 1 : start, &high) || high > 65535 || low > high)
        return false;
    *first = (int64_t)low;
    *last = (int64_t)high;
    return true;
}

bool exposed_ports_add(const char *spec, struct strlist *ports, struct error *err)
{
    const char *slash = strrchr(spec, '/');
    _cleanup_free_ char *protocol = xstrdup(slash && slash[1] ? slash + 1 : "tcp");
    for (char *at = protocol; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    _cleanup_free_ char *rest = slash ? xstrndup(spec, (size_t)(slash - spec)) : xstrdup(spec);
    char *colon = strrchr(rest, ':');
    const char *container = colon ? colon + 1 : rest;
    if (!*container)
        return error_set(err, ERROR_INVALID, "No port specified: %s<empty>", spec);
    int64_t first, last;
    if (!parse_range(container, &first, &last))
        return error_set(err, ERROR_INVALID, "Invalid containerPort: %s", container);
    if (colon) {
        *colon = '\0';
        const char *host = strrchr(rest, ':');
        host = host ? host + 1 : rest;
        int64_t host_first, host_last;
        if (*host && !parse_range(host, &host_first, &host_last))
            return error_set(err, ERROR_INVALID, "Invalid hostPort: %s", host);
        if (*host && host_last - host_first != last - first && first != last)
            return error_set(err, ERROR_INVALID, "Invalid ranges specified for container and host Ports: %s and %s",
                             container, host);
    }
    if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 && strcmp(protocol, "sctp") != 0)
        return error_set(err, ERROR_INVALID, "Invalid proto: %s", slash + 1);
    for (int64_t port = first; port <= last; port++) {
        _cleanup_free_ char *text = xasprintf("%lld/%s", (long long)port, protocol);
        if (!strlist_contains(ports, text))
            strlist_add(ports, text);
    }
    return true;
}
