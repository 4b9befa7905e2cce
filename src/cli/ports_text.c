#include "cli/ports_text.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

struct port {
    const char *ip;
    int64_t private_port;
    int64_t public_port;
    const char *type;
};

/* Ports of one address and protocol that follow one another. */
struct group {
    const char *ip;
    const char *type;
    int64_t first;
    int64_t last;
};

static int compare_ports(const void *left, const void *right)
{
    const struct port *a = left, *b = right;
    if (a->private_port != b->private_port)
        return a->private_port < b->private_port ? -1 : 1;
    if (strcmp(a->ip, b->ip) != 0)
        return strcmp(a->ip, b->ip);
    if (a->public_port != b->public_port)
        return a->public_port < b->public_port ? -1 : 1;
    return strcmp(a->type, b->type);
}

static void add_address(const char *ip, struct strbuf *out)
{
    bool is_ipv6 = strchr(ip, ':');
    strbuf_addf(out, is_ipv6 ? "[%s]:" : "%s:", ip);
}

static void add_group(const struct group *group, struct strbuf *out)
{
    char range[64];
    if (group->first == group->last)
        snprintf(range, sizeof(range), "%lld", (long long)group->first);
    else
        snprintf(range, sizeof(range), "%lld-%lld", (long long)group->first, (long long)group->last);
    strbuf_add_string(out, out->length ? ", " : "");
    if (*group->ip) {
        add_address(group->ip, out);
        strbuf_addf(out, "%s->", range);
    }
    strbuf_addf(out, "%s/%s", range, group->type);
}

static struct group *find_group(struct group *groups, size_t count, const struct port *port)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(groups[i].ip, port->ip) == 0 && strcmp(groups[i].type, port->type) == 0)
            return &groups[i];
    return NULL;
}

char *ports_text(const json_t *json)
{
    size_t count = json_array_size(json), group_count = 0;
    _cleanup_free_ struct port *ports = xcalloc(count + 1, sizeof(*ports));
    _cleanup_free_ struct group *groups = NULL;
    _cleanup_strbuf_ struct strbuf mappings = STRBUF_INIT;
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json, i);
        ports[i] = (struct port){string_or_empty(json_string_value(json_object_get(item, "IP"))),
                                 json_integer_value(json_object_get(item, "PrivatePort")),
                                 json_integer_value(json_object_get(item, "PublicPort")),
                                 string_or_empty(json_string_value(json_object_get(item, "Type")))};
    }
    qsort(ports, count, sizeof(*ports), compare_ports);
    for (size_t i = 0; i < count; i++) {
        const struct port *port = &ports[i];
        if (*port->ip && port->public_port != port->private_port) {
            strbuf_add_string(&mappings, mappings.length ? ", " : "");
            add_address(port->ip, &mappings);
            strbuf_addf(&mappings, "%lld->%lld/%s", (long long)port->public_port, (long long)port->private_port,
                        port->type);
            continue;
        }
        struct group *group = find_group(groups, group_count, port);
        if (group && port->private_port == group->last + 1) {
            group->last++;
            continue;
        }
        if (group)
            add_group(group, &text);
        else
            group = APPEND(groups, group_count);
        *group = (struct group){port->ip, port->type, port->private_port, port->private_port};
    }
    for (size_t i = 0; i < group_count; i++)
        add_group(&groups[i], &text);
    if (mappings.length)
        strbuf_addf(&text, "%s%s", text.length ? ", " : "", strbuf_text(&mappings));
    return strbuf_take(&text);
}
