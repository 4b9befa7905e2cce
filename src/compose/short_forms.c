/* The short syntaxes of ports, volumes and devices. */
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compose/canonical.h"

struct range {
    int64_t first, last;
};

static bool parse_range(const char *text, struct range *out)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(text, '-');
    if (parts.count > 2 || !parse_int64(parts.items[0], &out->first) ||
        !parse_int64(parts.items[parts.count - 1], &out->last))
        return false;
    return out->first >= 0 && out->first <= out->last && out->last <= 65535;
}

static void add_port(struct node *ports, const struct node *entry, const char *address, int64_t target, char *published,
                     const char *protocol)
{
    struct node *port = node_new(NODE_MAP, entry);
    node_put(port, "mode", node_string("ingress", entry));
    if (string_is_set(address))
        node_put(port, "host_ip", node_string(address, entry));
    node_put(port, "target", node_integer(target, entry));
    if (published)
        node_put(port, "published", node_take_string(published, entry));
    node_put(port, "protocol", node_string(protocol, entry));
    node_append(ports, port);
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Docker sorts the ports of a range as text: 10 before 9. */
static void add_range(struct node *ports, const struct node *entry, const char *address, const struct range *target,
                      const struct range *published, const char *protocol)
{
    size_t count = (size_t)(target->last - target->first) + 1;
    _cleanup_strlist_ struct strlist sorted = {0};
    for (size_t i = 0; i < count; i++)
        strlist_addf(&sorted, "%lld", (long long)target->first + (long long)i);
    qsort(sorted.items, count, sizeof(*sorted.items), by_text);
    for (size_t i = 0; i < count; i++) {
        int64_t number = strtoll(sorted.items[i], NULL, 10);
        char *host = NULL;
        if (published && count == 1 && published->first != published->last)
            host = xasprintf("%lld-%lld", (long long)published->first, (long long)published->last);
        else if (published)
            host = xasprintf("%lld", (long long)(published->first + number - target->first));
        add_port(ports, entry, address, number, host, protocol);
    }
}

static bool expand_text(const struct node *entry, const char *path, struct node *ports, struct error *err)
{
    _cleanup_free_ char *text = scalar_text(entry), *protocol = xstrdup("tcp");
    char *slash = strchr(text, '/');
    if (slash) {
        *slash = '\0';
        string_replace(&protocol, slash + 1);
        for (char *c = protocol; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    }
    char *colon = strrchr(text, ':'), *address = NULL, *host = NULL, *inside = text;
    if (colon) {
        *colon = '\0';
        inside = colon + 1;
        host = text;
        colon = strrchr(text, ':');
        if (colon) {
            *colon = '\0';
            host = colon + 1;
            address = text;
        }
    }
    if (address && *address == '[' && address[strlen(address) - 1] == ']') {
        address[strlen(address) - 1] = '\0';
        address++;
    }
    struct range target, published;
    if (!*inside)
        return node_error(entry, path, err, "no port specified: %s<empty>", text);
    if (!parse_range(inside, &target))
        return node_error(entry, path, err, "invalid containerPort: %s", inside);
    if (string_is_set(host) && !parse_range(host, &published))
        return node_error(entry, path, err, "invalid hostPort: %s", host);
    if (!string_equal(protocol, "tcp") && !string_equal(protocol, "udp") && !string_equal(protocol, "sctp"))
        return node_error(entry, path, err, "invalid proto: %s", protocol);
    if (string_is_set(host) && target.first != target.last &&
        published.last - published.first != target.last - target.first)
        return node_error(entry, path, err, "invalid ranges specified for container and host Ports: %s and %s", inside,
                          host);
    add_range(ports, entry, address, &target, string_is_set(host) ? &published : NULL, protocol);
    return true;
}

bool port_expand(const struct node *entry, const char *path, struct node *ports, struct error *err)
{
    if (entry->kind != NODE_MAP)
        return expand_text(entry, path, ports, err);
    _cleanup_node_ struct node *port = node_copy(entry);
    if (!node_get(port, "mode"))
        node_put(port, "mode", node_string("ingress", entry));
    if (!node_get(port, "protocol"))
        node_put(port, "protocol", node_string("tcp", entry));
    const struct node *published = node_get(port, "published");
    if (published)
        node_put(port, "published", node_take_string(scalar_text(published), entry));
    const struct node *target = node_get(port, "target");
    int64_t number;
    if (!target)
        return node_error(entry, path, err, "target is required");
    if (target->kind != NODE_INT && (!parse_int64(target->text, &number)))
        return node_error(entry, path, err, "target must be a number");
    if (target->kind != NODE_INT)
        node_put(port, "target", node_integer(number, entry));
    node_append(ports, TAKE_PTR(port));
    return true;
}

static bool is_path(const char *source)
{
    return strchr("./~", *source) != NULL;
}

static struct node *sub_map(struct node *map, const char *key)
{
    if (!node_get(map, key))
        node_put(map, key, node_new(NODE_MAP, map));
    return node_get(map, key);
}

static void volume_option(struct node *volume, const char *option)
{
    static const char *const propagations[] = {"rprivate", "private", "rshared", "shared", "rslave", "slave"};
    bool is_bind = string_equal(node_text(node_get(volume, "type")), "bind");
    if (string_equal(option, "ro"))
        node_put(volume, "read_only", node_bool(true, volume));
    else if (string_equal(option, "rw"))
        node_remove(volume, "read_only");
    else if (string_equal(option, "nocopy"))
        node_put(sub_map(volume, "volume"), "nocopy", node_bool(true, volume));
    else if (is_bind && (string_equal(option, "z") || string_equal(option, "Z")))
        node_put(sub_map(volume, "bind"), "selinux", node_string(option, volume));
    for (size_t i = 0; is_bind && i < ARRAY_SIZE(propagations); i++)
        if (string_equal(option, propagations[i]))
            node_put(sub_map(volume, "bind"), "propagation", node_string(option, volume));
}

static struct node *volume_from_text(const struct node *entry, const char *directory, const char *path,
                                     struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(entry->text, ':');
    bool has_empty = false;
    for (size_t i = 0; i < parts.count; i++)
        has_empty = has_empty || !*parts.items[i];
    if (has_empty || parts.count > 3) {
        node_error(entry, path, err,
                   has_empty ? "invalid spec: %s: empty section between colons" : "invalid spec: %s: too many colons",
                   entry->text);
        return NULL;
    }
    struct node *volume = node_new(NODE_MAP, entry);
    const char *source = parts.count > 1 ? parts.items[0] : NULL;
    bool is_bind = source && is_path(source);
    node_put(volume, "type", node_string(is_bind ? "bind" : "volume", entry));
    if (source)
        node_put(volume, "source",
                 is_bind ? node_take_string(path_absolute(source, directory), entry) : node_string(source, entry));
    node_put(volume, "target", node_string(parts.items[parts.count > 1], entry));
    if (parts.count == 3) {
        _cleanup_strlist_ struct strlist options = strlist_split(parts.items[2], ',');
        for (size_t i = 0; i < options.count; i++)
            volume_option(volume, options.items[i]);
    }
    struct node *details = sub_map(volume, is_bind ? "bind" : "volume");
    if (is_bind)
        node_put(details, "create_host_path", node_bool(true, entry));
    return volume;
}

struct node *volume_expand(const struct node *entry, const char *directory, const char *path, struct error *err)
{
    if (entry->kind != NODE_MAP)
        return volume_from_text(entry, directory, path, err);
    struct node *volume = node_copy(entry);
    const char *source = node_text(node_get(volume, "source"));
    if (string_equal(node_text(node_get(volume, "type")), "bind")) {
        if (!source) {
            node_error(entry, path, err, "invalid mount config for type \"bind\": field Source must not be empty");
            node_free(volume);
            return NULL;
        }
        node_put(volume, "source", node_take_string(path_absolute(source, directory), entry));
    }
    return volume;
}

struct node *device_expand(const struct node *entry, const char *path, struct error *err)
{
    if (entry->kind == NODE_MAP)
        return node_copy(entry);
    _cleanup_strlist_ struct strlist parts = strlist_split(entry->text, ':');
    if (parts.count > 3) {
        node_error(entry, path, err, "confusing device mapping, please use long syntax: %s", entry->text);
        return NULL;
    }
    struct node *device = node_new(NODE_MAP, entry);
    node_put(device, "source", node_string(parts.items[0], entry));
    node_put(device, "target", node_string(parts.items[parts.count > 1], entry));
    node_put(device, "permissions", node_string(parts.count == 3 ? parts.items[2] : "rwm", entry));
    return device;
}
