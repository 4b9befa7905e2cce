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

typedef bool (*maker_fn)(struct maker *maker, struct element **place);

/* "a=b" of a list to a: b of a map. A name without a value gets null, or "" with `wants_text`. */
static bool make_mapping(struct element **place, const char *separators, bool wants_text)
{
    struct element *from = *place, *map = element_new(ELEMENT_MAP, from);
    for (size_t i = 0; i < from->count; i++) {
        const struct element *item = from->items[i];
        if (from->kind == ELEMENT_MAP) {
            struct element *value = item->kind == ELEMENT_NULL && !wants_text
                                        ? element_copy(item)
                                        : element_take_string(scalar_text(item), item);
            value->merge = item->merge;
            element_put(map, from->keys[i], value);
            continue;
        }
        _cleanup_free_ char *text = scalar_text(item);
        size_t length = strcspn(text, separators);
        _cleanup_free_ char *key = xstrndup(text, length);
        if (text[length])
            element_put(map, key, element_string(text + length + 1, item));
        else
            element_put(map, key, wants_text ? element_string("", item) : element_new(ELEMENT_NULL, item));
    }
    element_replace(place, map);
    return true;
}

static bool to_environment(struct maker *maker, struct element **place)
{
    return make_mapping(place, "=", false);
}

static bool to_labels(struct maker *maker, struct element **place)
{
    return make_mapping(place, "=", true);
}

/* Values that are lists of addresses become one entry each: "host=1.2.3.4". */
static bool to_hosts(struct maker *maker, struct element **place)
{
    struct element *from = *place, *list = element_new(ELEMENT_LIST, from);
    for (size_t i = 0; i < from->count; i++) {
        const struct element *item = from->items[i];
        if (from->kind == ELEMENT_MAP) {
            size_t count = item->kind == ELEMENT_LIST ? item->count : 1;
            for (size_t j = 0; j < count; j++) {
                const struct element *address = item->kind == ELEMENT_LIST ? item->items[j] : item;
                element_append(
                    list, element_take_string(xasprintf("%s=%s", from->keys[i], string_or_empty(address->text)), item));
            }
            continue;
        }
        char *text = xstrdup(string_or_empty(item->text));
        size_t at = strcspn(text, "=:");
        if (!text[at]) {
            free(text);
            element_free(list);
            return element_error(item, maker->path, maker->err, "bad host name '%s'", string_or_empty(item->text));
        }
        text[at] = '=';
        size_t length = strlen(text);
        if (text[at + 1] == '[' && text[length - 1] == ']') {
            text[length - 1] = '\0';
            memmove(text + at + 1, text + at + 2, length - at - 1);
        }
        element_append(list, element_take_string(text, item));
    }
    element_replace(place, list);
    return true;
}

static bool to_list(struct maker *maker, struct element **place)
{
    struct element *from = *place;
    if (from->kind == ELEMENT_LIST) {
        for (size_t i = 0; i < from->count; i++)
            if (from->items[i]->text)
                element_replace(&from->items[i], element_take_string(scalar_text(from->items[i]), from->items[i]));
        return true;
    }
    struct element *list = element_new(ELEMENT_LIST, from);
    if (from->kind != ELEMENT_NULL)
        element_append(list, element_take_string(scalar_text(from), from));
    element_replace(place, list);
    return true;
}

/* id: path as "id=path". */
static bool to_assignments(struct maker *maker, struct element **place)
{
    struct element *from = *place;
    if (from->kind != ELEMENT_MAP)
        return to_list(maker, place);
    struct element *list = element_new(ELEMENT_LIST, from);
    for (size_t i = 0; i < from->count; i++) {
        _cleanup_free_ char *value = scalar_text(from->items[i]);
        element_append(list, element_take_string(
                                 *value ? xasprintf("%s=%s", from->keys[i], value) : xstrdup(from->keys[i]), from));
    }
    element_replace(place, list);
    return true;
}

static bool to_words(struct maker *maker, struct element **place)
{
    if ((*place)->kind == ELEMENT_LIST || (*place)->kind == ELEMENT_NULL)
        return true;
    struct element *words = words_split(*place, maker->path, maker->err);
    if (words)
        element_replace(place, words);
    return words;
}

static bool to_test(struct maker *maker, struct element **place)
{
    if ((*place)->kind == ELEMENT_LIST)
        return true;
    struct element *list = element_new(ELEMENT_LIST, *place);
    element_append(list, element_string("CMD-SHELL", *place));
    element_append(list, element_string((*place)->text, *place));
    element_replace(place, list);
    return true;
}

static bool to_env_files(struct maker *maker, struct element **place)
{
    if (!to_list(maker, place))
        return false;
    for (size_t i = 0; i < (*place)->count; i++) {
        struct element *item = (*place)->items[i], *map = element_new(ELEMENT_MAP, item);
        const char *path = item->kind == ELEMENT_MAP ? element_text(element_get(item, "path")) : item->text;
        const struct element *required = element_get(item, "required");
        element_put(map, "path", element_take_string(path_absolute(string_or_empty(path), maker->directory), item));
        element_put(map, "required", element_bool(!required || element_is_true(required), item));
        element_replace(&(*place)->items[i], map);
    }
    return true;
}

static bool to_dependencies(struct maker *maker, struct element **place)
{
    struct element *from = *place, *map = element_new(ELEMENT_MAP, from);
    for (size_t i = 0; i < from->count; i++) {
        struct element *item = from->items[i];
        bool is_map = from->kind == ELEMENT_MAP;
        struct element *details =
            is_map && item->kind == ELEMENT_MAP ? element_copy(item) : element_new(ELEMENT_MAP, item);
        if (!element_get(details, "condition"))
            element_put(details, "condition", element_string("service_started", item));
        if (!element_get(details, "required"))
            element_put(details, "required", element_bool(true, item));
        element_put(map, is_map ? from->keys[i] : item->text, details);
    }
    element_replace(place, map);
    return true;
}

static bool to_ports(struct maker *maker, struct element **place)
{
    struct element *list = element_new(ELEMENT_LIST, *place);
    for (size_t i = 0; i < (*place)->count; i++) {
        if (!port_expand((*place)->items[i], maker->path, list, maker->err)) {
            element_free(list);
            return false;
        }
    }
    element_replace(place, list);
    return true;
}

static bool to_volumes(struct maker *maker, struct element **place)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct element *volume = volume_expand((*place)->items[i], maker->directory, maker->path, maker->err);
        if (!volume)
            return false;
        element_replace(&(*place)->items[i], volume);
    }
    return true;
}

static bool to_devices(struct maker *maker, struct element **place)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct element *device = device_expand((*place)->items[i], maker->path, maker->err);
        if (!device)
            return false;
        element_replace(&(*place)->items[i], device);
    }
    return true;
}

static bool to_networks(struct maker *maker, struct element **place)
{
    if ((*place)->kind != ELEMENT_LIST)
        return true;
    struct element *map = element_new(ELEMENT_MAP, *place);
    for (size_t i = 0; i < (*place)->count; i++)
        element_put(map, (*place)->items[i]->text, element_new(ELEMENT_NULL, (*place)->items[i]));
    element_replace(place, map);
    return true;
}

static bool to_grants(struct element **place, const char *folder)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct element *item = (*place)->items[i], *map;
        if (item->kind == ELEMENT_MAP) {
            map = element_copy(item);
        } else {
            map = element_new(ELEMENT_MAP, item);
            element_put(map, "source", element_string(item->text, item));
        }
        const char *source = element_text(element_get(map, "source"));
        if (folder && !element_get(map, "target") && source)
            element_put(map, "target", element_take_string(xasprintf("%s/%s", folder, source), item));
        struct element *mode = element_get(map, "mode");
        int64_t number;
        if (element_is(mode, ELEMENT_STRING) && mode->text) {
            char *end;
            number = strtoll(mode->text, &end, 8);
            if (*end == '\0')
                element_put(map, "mode", element_integer(number, item));
        }
        element_replace(&(*place)->items[i], map);
    }
    return true;
}

static bool to_secrets(struct maker *maker, struct element **place)
{
    return to_grants(place, "/run/secrets");
}

static bool to_configs(struct maker *maker, struct element **place)
{
    return to_grants(place, NULL);
}

static bool is_remote(const char *path)
{
    return strstr(path, "://") || string_starts_with(path, "git@") || string_starts_with(path, "github.com/");
}

static bool to_path(struct maker *maker, struct element **place)
{
    const char *path = element_text(*place);
    if (path && !is_remote(path) && !string_starts_with(path, "service:"))
        element_replace(place, element_take_string(path_absolute(path, maker->directory), *place));
    return true;
}

static bool to_contexts(struct maker *maker, struct element **place)
{
    make_mapping(place, "=", true);
    for (size_t i = 0; i < (*place)->count; i++) {
        const char *path = (*place)->items[i]->text;
        if (!string_starts_with(path, "docker-image:") && !string_starts_with(path, "oci-layout:"))
            to_path(maker, &(*place)->items[i]);
    }
    return true;
}

static bool to_build(struct maker *maker, struct element **place)
{
    if ((*place)->kind == ELEMENT_MAP)
        return true;
    struct element *map = element_new(ELEMENT_MAP, *place);
    element_put(map, "context", element_string((*place)->text, *place));
    element_replace(place, map);
    return true;
}

static bool to_extends(struct maker *maker, struct element **place)
{
    if ((*place)->kind == ELEMENT_MAP)
        return true;
    struct element *map = element_new(ELEMENT_MAP, *place);
    element_put(map, "service", element_string((*place)->text, *place));
    element_replace(place, map);
    return true;
}

static bool to_bytes(struct maker *maker, struct element **place)
{
    int64_t bytes;
    _cleanup_free_ char *text = scalar_text(*place);
    bool is_bare = text[strspn(text, "-0123456789")] == '\0';
    if (is_bare ? !parse_int64(text, &bytes) : !parse_bytes(text, &bytes, NULL))
        return element_error(*place, maker->path, maker->err, "invalid size: '%s'", text);
    element_replace(place, element_take_string(xasprintf("%lld", (long long)bytes), *place));
    return true;
}

static bool to_duration(struct maker *maker, struct element **place)
{
    int64_t nanoseconds;
    _cleanup_free_ char *text = scalar_text(*place);
    if (!parse_duration(text, &nanoseconds, NULL))
        return element_error(*place, maker->path, maker->err, "time: invalid duration \"%s\"", text);
    element_replace(place, element_take_string(duration_text(nanoseconds), *place));
    return true;
}

static bool to_number(struct maker *maker, struct element **place)
{
    if ((*place)->kind != ELEMENT_STRING)
        return true;
    struct element probe = {.text = (*place)->text};
    element_resolve(&probe);
    if (probe.kind != ELEMENT_INT && probe.kind != ELEMENT_FLOAT)
        return element_error(*place, maker->path, maker->err, "must be a number, not \"%s\"", (*place)->text);
    (*place)->kind = probe.kind;
    (*place)->integer = probe.integer;
    (*place)->number = probe.number;
    return true;
}

static bool to_boolean(struct maker *maker, struct element **place)
{
    if ((*place)->kind != ELEMENT_STRING)
        return true;
    bool value;
    if (!parse_bool((*place)->text, &value, NULL))
        return element_error(*place, maker->path, maker->err, "must be true or false, not \"%s\"", (*place)->text);
    element_replace(place, element_bool(value, *place));
    return true;
}

/* external: {name: x} is the old way of external: true and name: x. */
static bool to_external(struct maker *maker, struct element **place)
{
    struct element *resource = *place, *external = element_get(resource, "external");
    if (!element_is(external, ELEMENT_MAP))
        return true;
    const char *name = element_text(element_get(external, "name"));
    if (name && !element_get(resource, "name"))
        element_put(resource, "name", element_string(name, external));
    element_put(resource, "external", element_bool(true, external));
    return true;
}

static bool to_includes(struct maker *maker, struct element **place)
{
    for (size_t i = 0; i < (*place)->count; i++) {
        struct element *item = (*place)->items[i];
        if (item->kind != ELEMENT_MAP) {
            struct element *map = element_new(ELEMENT_MAP, item);
            element_put(map, "path", element_copy(item));
            element_replace(&(*place)->items[i], map);
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
static bool walk(struct maker *maker, struct element **place, const char *pattern, const char *path, maker_fn make)
{
    if ((*place)->merge == MERGE_RESET)
        return true;
    if (!*pattern) {
        maker->path = path;
        bool is_scalar = (*place)->kind != ELEMENT_LIST && (*place)->kind != ELEMENT_MAP;
        bool takes_scalar = make == to_number || make == to_boolean;
        bool is_nothing = (*place)->kind == ELEMENT_NULL && make != to_words;
        return is_nothing || (takes_scalar && !is_scalar) || make(maker, place);
    }
    size_t length = strcspn(pattern, ".");
    const char *rest = pattern + length + (pattern[length] == '.');
    bool is_any = *pattern == '*';
    struct element *node = *place;
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->kind == ELEMENT_MAP ? node->keys[i] : NULL;
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

bool canonical_make(struct element *document, const char *directory, struct error *err)
{
    struct maker maker = {.directory = directory, .err = err};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!walk(&maker, &document, rows[i].path, "", rows[i].make))
            return false;
    return true;
}
