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

static void add_port(struct element *ports, const struct element *entry, const char *address, int64_t target,
                     char *published, const char *protocol)
{
    struct element *port = element_new(ELEMENT_MAP, entry);
    element_put(port, "mode", element_string("ingress", entry));
    if (string_is_set(address))
        element_put(port, "host_ip", element_string(address, entry));
    element_put(port, "target", element_integer(target, entry));
    if (published)
        element_put(port, "published", element_take_string(published, entry));
    element_put(port, "protocol", element_string(protocol, entry));
    element_append(ports, port);
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Docker sorts the ports of a range as text: 10 before 9. */
static void add_range(struct element *ports, const struct element *entry, const char *address,
                      const struct range *target, const struct range *published, const char *protocol)
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

static bool expand_text(const struct element *entry, const char *path, struct element *ports, struct error *err)
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
        return element_error(entry, path, err, "no port specified: %s<empty>", text);
    if (!parse_range(inside, &target))
        return element_error(entry, path, err, "invalid containerPort: %s", inside);
    if (string_is_set(host) && !parse_range(host, &published))
        return element_error(entry, path, err, "invalid hostPort: %s", host);
    if (!string_equal(protocol, "tcp") && !string_equal(protocol, "udp") && !string_equal(protocol, "sctp"))
        return element_error(entry, path, err, "invalid proto: %s", protocol);
    if (string_is_set(host) && target.first != target.last &&
        published.last - published.first != target.last - target.first)
        return element_error(entry, path, err, "invalid ranges specified for container and host Ports: %s and %s",
                             inside, host);
    add_range(ports, entry, address, &target, string_is_set(host) ? &published : NULL, protocol);
    return true;
}

bool port_expand(const struct element *entry, const char *path, struct element *ports, struct error *err)
{
    if (entry->kind != ELEMENT_MAP)
        return expand_text(entry, path, ports, err);
    _cleanup_element_ struct element *port = element_copy(entry);
    if (!element_get(port, "mode"))
        element_put(port, "mode", element_string("ingress", entry));
    if (!element_get(port, "protocol"))
        element_put(port, "protocol", element_string("tcp", entry));
    const struct element *published = element_get(port, "published");
    if (published)
        element_put(port, "published", element_take_string(scalar_text(published), entry));
    const struct element *target = element_get(port, "target");
    int64_t number;
    if (!target)
        return element_error(entry, path, err, "target is required");
    if (target->kind != ELEMENT_INT && (!parse_int64(target->text, &number)))
        return element_error(entry, path, err, "target must be a number");
    if (target->kind != ELEMENT_INT)
        element_put(port, "target", element_integer(number, entry));
    element_append(ports, TAKE_PTR(port));
    return true;
}

static bool is_path(const char *source)
{
    return strchr("./~", *source) != NULL;
}

static struct element *sub_map(struct element *map, const char *key)
{
    if (!element_get(map, key))
        element_put(map, key, element_new(ELEMENT_MAP, map));
    return element_get(map, key);
}

static void volume_option(struct element *volume, const char *option)
{
    static const char *const propagations[] = {"rprivate", "private", "rshared", "shared", "rslave", "slave"};
    bool is_bind = string_equal(element_text(element_get(volume, "type")), "bind");
    if (string_equal(option, "ro"))
        element_put(volume, "read_only", element_bool(true, volume));
    else if (string_equal(option, "rw"))
        element_remove(volume, "read_only");
    else if (string_equal(option, "nocopy"))
        element_put(sub_map(volume, "volume"), "nocopy", element_bool(true, volume));
    else if (is_bind && (string_equal(option, "z") || string_equal(option, "Z")))
        element_put(sub_map(volume, "bind"), "selinux", element_string(option, volume));
    for (size_t i = 0; is_bind && i < ARRAY_SIZE(propagations); i++)
        if (string_equal(option, propagations[i]))
            element_put(sub_map(volume, "bind"), "propagation", element_string(option, volume));
}

static struct element *volume_from_text(const struct element *entry, const char *directory, const char *path,
                                        struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(entry->text, ':');
    bool has_empty = false;
    for (size_t i = 0; i < parts.count; i++)
        has_empty = has_empty || !*parts.items[i];
    if (has_empty || parts.count > 3) {
        element_error(entry, path, err,
                      has_empty ? "invalid spec: %s: empty section between colons"
                                : "invalid spec: %s: too many colons",
                      entry->text);
        return NULL;
    }
    struct element *volume = element_new(ELEMENT_MAP, entry);
    const char *source = parts.count > 1 ? parts.items[0] : NULL;
    bool is_bind = source && is_path(source);
    element_put(volume, "type", element_string(is_bind ? "bind" : "volume", entry));
    if (source)
        element_put(volume, "source",
                    is_bind ? element_take_string(path_absolute(source, directory), entry)
                            : element_string(source, entry));
    element_put(volume, "target", element_string(parts.items[parts.count > 1], entry));
    if (parts.count == 3) {
        _cleanup_strlist_ struct strlist options = strlist_split(parts.items[2], ',');
        for (size_t i = 0; i < options.count; i++)
            volume_option(volume, options.items[i]);
    }
    struct element *details = sub_map(volume, is_bind ? "bind" : "volume");
    if (is_bind)
        element_put(details, "create_host_path", element_bool(true, entry));
    return volume;
}

struct element *volume_expand(const struct element *entry, const char *directory, const char *path, struct error *err)
{
    if (entry->kind != ELEMENT_MAP)
        return volume_from_text(entry, directory, path, err);
    struct element *volume = element_copy(entry);
    const char *source = element_text(element_get(volume, "source"));
    if (string_equal(element_text(element_get(volume, "type")), "bind")) {
        if (!source) {
            element_error(entry, path, err, "invalid mount config for type \"bind\": field Source must not be empty");
            element_free(volume);
            return NULL;
        }
        element_put(volume, "source", element_take_string(path_absolute(source, directory), entry));
    }
    return volume;
}

struct element *device_expand(const struct element *entry, const char *path, struct error *err)
{
    if (entry->kind == ELEMENT_MAP)
        return element_copy(entry);
    _cleanup_strlist_ struct strlist parts = strlist_split(entry->text, ':');
    if (parts.count > 3) {
        element_error(entry, path, err, "confusing device mapping, please use long syntax: %s", entry->text);
        return NULL;
    }
    struct element *device = element_new(ELEMENT_MAP, entry);
    element_put(device, "source", element_string(parts.items[0], entry));
    element_put(device, "target", element_string(parts.items[parts.count > 1], entry));
    element_put(device, "permissions", element_string(parts.count == 3 ? parts.items[2] : "rwm", entry));
    return device;
}
