#include "compose/canonical.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"

struct maker {
    const char *directory;
    const char *path; /* of the value at hand, for messages */
    struct error *err;
};

typedef bool (*maker_fn)(struct maker *maker, struct node **place);

/* "a=b" of a list to a: b of a map. A name without a value gets null, or "" with `wants_text`. */
static bool make_mapping(struct node **place, const char *separators, bool wants_text)
{
    struct node *from = *place, *map = node_new(NODE_MAP, from);
    for (size_t i = 0; i < from->count; i++) {
        const struct node *item = from->items[i];
        if (from->kind == NODE_MAP) {
            struct node *value =
                item->kind == NODE_NULL && !wants_text ? node_copy(item) : node_take_string(scalar_text(item), item);
            value->merge = item->merge;
            node_put(map, from->keys[i], value);
            continue;
        }
        _cleanup_free_ char *text = scalar_text(item);
        size_t length = strcspn(text, separators);
        _cleanup_free_ char *key = xstrndup(text, length);
        if (text[length])
            node_put(map, key, node_string(text + length + 1, item));
        else
            node_put(map, key, wants_text ? node_string("", item) : node_new(NODE_NULL, item));
    }
    node_replace(place, map);
    return true;
}

static bool to_environment(struct maker *maker, struct node **place)
{
    return make_mapping(place, "=", false);
}

static bool to_labels(struct maker *maker, struct node **place)
{
    return make_mapping(place, "=", true);
}

/* Values that are lists of addresses become one entry each: "host=1.2.3.4". */
static bool to_hosts(struct maker *maker, struct node **place)
{
    struct node *from = *place, *list = node_new(NODE_LIST, from);
    for (size_t i = 0; i < from->count; i++) {
        const struct node *item = from->items[i];
        if (from->kind == NODE_MAP) {
            size_t count = item->kind == NODE_LIST ? item->count : 1;
            for (size_t j = 0; j < count; j++) {
                const struct node *address = item->kind == NODE_LIST ? item->items[j] : item;
                node_append(list,
                            node_take_string(xasprintf("%s=%s", from->keys[i], string_or_empty(address->text)), item));
            }
            continue;
        }
        char *text = xstrdup(string_or_empty(item->text));
        size_t at = strcspn(text, "=:");
        if (!text[at]) {
            free(text);
            node_free(list);
            return node_error(item, maker->path, maker->err, "bad host name '%s'", string_or_empty(item->text));
        }
        text[at] = '=';
        size_t length = strlen(text);
        if (text[at + 1] == '[' && text[length - 1] == ']') {
            text[length - 1] = '\0';
            memmove(text + at + 1, text + at + 2, length - at - 1);
        }
        node_append(list, node_take_string(text, item));
    }
    node_replace(place, list);
    return true;
}

static bool to_list(struct maker *maker, struct node **place)
{
    struct node *from = *place;
    if (from->kind == NODE_LIST) {
        for (size_t i = 0; i < from->count; i++)
            if (from->items[i]->text)
                node_replace(&from->items[i], node_take_string(scalar_text(from->items[i]), from->items[i]));
        return true;
    }
    struct node *list = node_new(NODE_LIST, from);
    if (from->kind != NODE_NULL)
        node_append(list, node_take_string(scalar_text(from), from));
    node_replace(place, list);
    return true;
}

/* id: path as "id=path". */
static bool to_assignments(struct maker *maker, struct node **place)
{
    struct node *from = *place;
    if (from->kind != NODE_MAP)
        return to_list(maker, place);
    struct node *list = node_new(NODE_LIST, from);
    for (size_t i = 0; i < from->count; i++) {
        _cleanup_free_ char *value = scalar_text(from->items[i]);
        node_append(list,
                    node_take_string(*value ? xasprintf("%s=%s", from->keys[i], value) : xstrdup(from->keys[i]), from));
    }
    node_replace(place, list);
    return true;
}

static bool to_words(struct maker *maker, struct node **place)
{
    if ((*place)->kind == NODE_LIST || (*place)->kind == NODE_NULL)
        return true;
    struct node *words = words_split(*place, maker->path, maker->err);
    if (words)
        node_replace(place, words);
    return words;
}

static bool to_test(struct maker *maker, struct node **place)
{
    if ((*place)->kind == NODE_LIST)
        return true;
    struct node *list = node_new(NODE_LIST, *place);
    node_append(list, node_string("CMD-SHELL", *place));
    node_append(list, node_string((*place)->text, *place));
    node_replace(place, list);
    return true;
}

static bool to_env_files(struct maker *maker, struct node **place)
{
    if (!to_list(maker, place))
        return false;
    for (size_t i = 0; i < (*place)->count; i++) {
        struct node *item = (*place)->items[i], *map = node_new(NODE_MAP, item);
        const char *path = item->kind == NODE_MAP ? node_text(node_get(item, "path")) : item->text;
        const struct node *required = node_get(item, "required");
        node_put(map, "path", node_take_string(path_absolute(string_or_empty(path), maker->directory), item));
        node_put(map, "required", node_bool(!required || node_is_true(required), item));
        node_replace(&(*place)->items[i], map);
    }
    return true;
}

static bool to_dependencies(struct maker *maker, struct node **place)
{
    struct node *from = *place, *map = node_new(NODE_MAP, from);
    for (size_t i = 0; i < from->count; i++) {
        struct node *item = from->items[i];
        bool is_map = from->kind == NODE_MAP;
        struct node *details = is_map && item->kind == NODE_MAP ? node_copy(item) : node_new(NODE_MAP, item);
        if (!node_get(details, "condition"))
            node_put(details, "condition", node_string("service_started", item));
        if (!node_get(details, "required"))
            node_put(details, "required", node_bool(true, item));
        node_put(map, is_map ? from->keys[i] : item->text, details);
    }
    node_replace(place, map);
    return true;
}

static bool to_ports(struct maker *maker, struct node **place)
{
    struct node *list = node_new(NODE_LIST, *place);
    for (size_t i = 0; i < (*place)->count; i++) {
        if (!port_expand((*place)->items[i], maker->path, list, maker->err)) {
            node_free(list);
            return false;
        }
    }
    node_replace(place, list);
    return true;
}

static bool to_volumes(struct maker *maker, struct node **place)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct node *volume = volume_expand((*place)->items[i], maker->directory, maker->path, maker->err);
        if (!volume)
            return false;
        node_replace(&(*place)->items[i], volume);
    }
    return true;
}

static bool to_devices(struct maker *maker, struct node **place)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct node *device = device_expand((*place)->items[i], maker->path, maker->err);
        if (!device)
            return false;
        node_replace(&(*place)->items[i], device);
    }
    return true;
}

static bool to_networks(struct maker *maker, struct node **place)
{
    if ((*place)->kind != NODE_LIST)
        return true;
    struct node *map = node_new(NODE_MAP, *place);
    for (size_t i = 0; i < (*place)->count; i++)
        node_put(map, (*place)->items[i]->text, node_new(NODE_NULL, (*place)->items[i]));
    node_replace(place, map);
    return true;
}

static bool to_grants(struct node **place, const char *folder)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct node *item = (*place)->items[i], *map;
        if (item->kind == NODE_MAP) {
            map = node_copy(item);
        } else {
            map = node_new(NODE_MAP, item);
            node_put(map, "source", node_string(item->text, item));
        }
        const char *source = node_text(node_get(map, "source"));
        if (folder && !node_get(map, "target") && source)
            node_put(map, "target", node_take_string(xasprintf("%s/%s", folder, source), item));
        struct node *mode = node_get(map, "mode");
        int64_t number;
        if (node_is(mode, NODE_STRING) && mode->text) {
            char *end;
            number = strtoll(mode->text, &end, 8);
            if (*end == '\0')
                node_put(map, "mode", node_integer(number, item));
        }
        node_replace(&(*place)->items[i], map);
    }
    return true;
}

static bool to_secrets(struct maker *maker, struct node **place)
{
    return to_grants(place, "/run/secrets");
}

static bool to_configs(struct maker *maker, struct node **place)
{
    return to_grants(place, NULL);
}

static bool is_remote(const char *path)
{
    return strstr(path, "://") || string_starts_with(path, "git@") || string_starts_with(path, "github.com/");
}

static bool to_path(struct maker *maker, struct node **place)
{
    const char *path = node_text(*place);
    if (path && !is_remote(path) && !string_starts_with(path, "service:"))
        node_replace(place, node_take_string(path_absolute(path, maker->directory), *place));
    return true;
}

static bool to_contexts(struct maker *maker, struct node **place)
{
    make_mapping(place, "=", true);
    for (size_t i = 0; i < (*place)->count; i++) {
        const char *path = (*place)->items[i]->text;
        if (!string_starts_with(path, "docker-image:") && !string_starts_with(path, "oci-layout:"))
            to_path(maker, &(*place)->items[i]);
    }
    return true;
}

static bool to_build(struct maker *maker, struct node **place)
{
    if ((*place)->kind == NODE_MAP)
        return true;
    struct node *map = node_new(NODE_MAP, *place);
    node_put(map, "context", node_string((*place)->text, *place));
    node_replace(place, map);
    return true;
}

static bool to_extends(struct maker *maker, struct node **place)
{
    if ((*place)->kind == NODE_MAP)
        return true;
    struct node *map = node_new(NODE_MAP, *place);
    node_put(map, "service", node_string((*place)->text, *place));
    node_replace(place, map);
    return true;
}

static bool to_bytes(struct maker *maker, struct node **place)
{
    int64_t bytes;
    _cleanup_free_ char *text = scalar_text(*place);
    bool is_bare = text[strspn(text, "-0123456789")] == '\0';
    if (is_bare ? !parse_int64(text, &bytes) : !parse_bytes(text, &bytes, NULL))
        return node_error(*place, maker->path, maker->err, "invalid size: '%s'", text);
    node_replace(place, node_take_string(xasprintf("%lld", (long long)bytes), *place));
    return true;
}

static bool to_duration(struct maker *maker, struct node **place)
{
    int64_t nanoseconds;
    _cleanup_free_ char *text = scalar_text(*place);
    if (!parse_duration(text, &nanoseconds, NULL))
        return node_error(*place, maker->path, maker->err, "time: invalid duration \"%s\"", text);
    node_replace(place, node_take_string(duration_text(nanoseconds), *place));
    return true;
}

static bool to_number(struct maker *maker, struct node **place)
{
    if ((*place)->kind != NODE_STRING)
        return true;
    struct node probe = {.text = (*place)->text};
    node_resolve(&probe);
    if (probe.kind != NODE_INT && probe.kind != NODE_FLOAT)
        return node_error(*place, maker->path, maker->err, "must be a number, not \"%s\"", (*place)->text);
    (*place)->kind = probe.kind;
    (*place)->integer = probe.integer;
    (*place)->number = probe.number;
    return true;
}

static bool to_boolean(struct maker *maker, struct node **place)
{
    if ((*place)->kind != NODE_STRING)
        return true;
    bool value;
    if (!parse_bool((*place)->text, &value, NULL))
        return node_error(*place, maker->path, maker->err, "must be true or false, not \"%s\"", (*place)->text);
    node_replace(place, node_bool(value, *place));
    return true;
}

/* external: {name: x} is the old way of external: true and name: x. */
static bool to_external(struct maker *maker, struct node **place)
{
    struct node *resource = *place, *external = node_get(resource, "external");
    if (!node_is(external, NODE_MAP))
        return true;
    const char *name = node_text(node_get(external, "name"));
    if (name && !node_get(resource, "name"))
        node_put(resource, "name", node_string(name, external));
    node_put(resource, "external", node_bool(true, external));
    return true;
}

static bool to_includes(struct maker *maker, struct node **place)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct node *item = (*place)->items[i];
        if (item->kind != NODE_MAP) {
            struct node *map = node_new(NODE_MAP, item);
            node_put(map, "path", node_copy(item));
            node_replace(&(*place)->items[i], map);
        }
    }
    return true;
}

/* What is done, in this order. "*" stands for every key of a map or item of a list. */
static const struct {
    const char *path;
    maker_fn make;
} rows[] = {
    {"include", to_includes},
    {"include.*.path", to_list},
    {"include.*.env_file", to_list},
    {"services.*.extends", to_extends},
    {"services.*.build", to_build},
    {"services.*.build.context", to_path},
    {"services.*.build.args", to_environment},
    {"services.*.build.labels", to_labels},
    {"services.*.build.ssh", to_assignments},
    {"services.*.build.additional_contexts", to_contexts},
    {"services.*.build.extra_hosts", to_hosts},
    {"services.*.build.secrets", to_configs},
    {"services.*.build.shm_size", to_bytes},
    {"services.*.build.no_cache", to_boolean},
    {"services.*.build.pull", to_boolean},
    {"services.*.build.privileged", to_boolean},
    {"services.*.annotations", to_labels},
    {"services.*.attach", to_boolean},
    {"services.*.command", to_words},
    {"services.*.entrypoint", to_words},
    {"services.*.configs", to_configs},
    {"services.*.secrets", to_secrets},
    {"services.*.cpu_count", to_number},
    {"services.*.cpu_percent", to_number},
    {"services.*.cpu_period", to_number},
    {"services.*.cpu_quota", to_number},
    {"services.*.cpu_shares", to_number},
    {"services.*.cpus", to_number},
    {"services.*.depends_on", to_dependencies},
    {"services.*.depends_on.*.restart", to_boolean},
    {"services.*.deploy.labels", to_labels},
    {"services.*.deploy.replicas", to_number},
    {"services.*.deploy.resources.limits.cpus", to_number},
    {"services.*.deploy.resources.limits.memory", to_bytes},
    {"services.*.deploy.resources.limits.pids", to_number},
    {"services.*.deploy.resources.reservations.cpus", to_number},
    {"services.*.deploy.resources.reservations.memory", to_bytes},
    {"services.*.deploy.restart_policy.delay", to_duration},
    {"services.*.deploy.restart_policy.window", to_duration},
    {"services.*.deploy.restart_policy.max_attempts", to_number},
    {"services.*.deploy.update_config.delay", to_duration},
    {"services.*.deploy.update_config.monitor", to_duration},
    {"services.*.deploy.rollback_config.delay", to_duration},
    {"services.*.deploy.rollback_config.monitor", to_duration},
    {"services.*.devices", to_devices},
    {"services.*.develop.watch.*.path", to_path},
    {"services.*.dns", to_list},
    {"services.*.dns_search", to_list},
    {"services.*.env_file", to_env_files},
    {"services.*.environment", to_environment},
    {"services.*.expose", to_list},
    {"services.*.extra_hosts", to_hosts},
    {"services.*.group_add", to_list},
    {"services.*.healthcheck.disable", to_boolean},
    {"services.*.healthcheck.interval", to_duration},
    {"services.*.healthcheck.retries", to_number},
    {"services.*.healthcheck.start_interval", to_duration},
    {"services.*.healthcheck.start_period", to_duration},
    {"services.*.healthcheck.test", to_test},
    {"services.*.healthcheck.timeout", to_duration},
    {"services.*.init", to_boolean},
    {"services.*.label_file", to_list},
    {"services.*.labels", to_labels},
    {"services.*.logging.options", to_labels},
    {"services.*.mem_limit", to_bytes},
    {"services.*.mem_reservation", to_bytes},
    {"services.*.mem_swappiness", to_bytes},
    {"services.*.memswap_limit", to_bytes},
    {"services.*.networks", to_networks},
    {"services.*.networks.*.driver_opts", to_labels},
    {"services.*.oom_kill_disable", to_boolean},
    {"services.*.oom_score_adj", to_number},
    {"services.*.pids_limit", to_number},
    {"services.*.ports", to_ports},
    {"services.*.privileged", to_boolean},
    {"services.*.read_only", to_boolean},
    {"services.*.scale", to_number},
    {"services.*.shm_size", to_bytes},
    {"services.*.stdin_open", to_boolean},
    {"services.*.stop_grace_period", to_duration},
    {"services.*.storage_opt", to_labels},
    {"services.*.sysctls", to_labels},
    {"services.*.tmpfs", to_list},
    {"services.*.tty", to_boolean},
    {"services.*.ulimits.*", to_number},
    {"services.*.ulimits.*.soft", to_number},
    {"services.*.ulimits.*.hard", to_number},
    {"services.*.volumes", to_volumes},
    {"services.*.volumes.*.read_only", to_boolean},
    {"services.*.volumes.*.bind.create_host_path", to_boolean},
    {"services.*.volumes.*.volume.nocopy", to_boolean},
    {"services.*.volumes.*.tmpfs.size", to_bytes},
    {"services.*.volumes.*.tmpfs.mode", to_number},
    {"networks.*", to_external},
    {"networks.*.labels", to_labels},
    {"networks.*.driver_opts", to_labels},
    {"networks.*.external", to_boolean},
    {"networks.*.internal", to_boolean},
    {"networks.*.attachable", to_boolean},
    {"networks.*.enable_ipv6", to_boolean},
    {"networks.*.ipam.options", to_labels},
    {"volumes.*", to_external},
    {"volumes.*.labels", to_labels},
    {"volumes.*.driver_opts", to_labels},
    {"volumes.*.external", to_boolean},
    {"secrets.*", to_external},
    {"secrets.*.labels", to_labels},
    {"secrets.*.file", to_path},
    {"secrets.*.external", to_boolean},
    {"configs.*", to_external},
    {"configs.*.labels", to_labels},
    {"configs.*.file", to_path},
    {"configs.*.external", to_boolean},
};

/* Goes down `pattern` from *place and does `make` at its end. */
static bool walk(struct maker *maker, struct node **place, const char *pattern, const char *path, maker_fn make)
{
    if ((*place)->merge == MERGE_RESET)
        return true;
    if (!*pattern) {
        maker->path = path;
        bool is_scalar = (*place)->kind != NODE_LIST && (*place)->kind != NODE_MAP;
        bool takes_scalar = make == to_number || make == to_boolean;
        bool is_nothing = (*place)->kind == NODE_NULL && make != to_words;
        return is_nothing || (takes_scalar && !is_scalar) || make(maker, place);
    }
    size_t length = strcspn(pattern, ".");
    const char *rest = pattern + length + (pattern[length] == '.');
    bool is_any = *pattern == '*';
    struct node *node = *place;
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->kind == NODE_MAP ? node->keys[i] : NULL;
        bool is_hit = is_any ? !key || !string_starts_with(key, "x-") || *rest == '\0'
                             : key && strncmp(key, pattern, length) == 0 && key[length] == '\0';
        if (!is_hit)
            continue;
        _cleanup_free_ char *below =
            key ? xasprintf("%s%s%s", path, *path ? "." : "", key) : xasprintf("%s[%zu]", path, i);
        if (!walk(maker, &node->items[i], rest, below, make))
            return false;
    }
    return true;
}

bool canonical_make(struct node *document, const char *directory, struct error *err)
{
    struct maker maker = {.directory = directory, .err = err};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!walk(&maker, &document, rows[i].path, "", rows[i].make))
            return false;
    return true;
}
