/* Ports that are published, or not any more, while the container runs: ours beyond Docker (docs/api.md). */
#include <string.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/networks.h"
#include "engine/validate.h"

/* "80" is "80/tcp". The caller frees. */
static char *port_key(const char *port)
{
    return strchr(port, '/') ? xstrdup(port) : xasprintf("%s/tcp", port);
}

static bool is_same(const struct port_binding *a, const struct port_binding *b)
{
    return string_equal(string_or_empty(a->host_port), string_or_empty(b->host_port)) &&
           string_equal(string_or_empty(a->host_ip), string_or_empty(b->host_ip));
}

static struct record_list *find_list(struct record_map *map, const char *key)
{
    for (size_t i = 0; i < map->keys.count; i++) {
        _cleanup_free_ char *own = port_key(map->keys.items[i]);
        if (string_equal(own, key))
            return RECORD_AT(*map, struct record_list, i);
    }
    return NULL;
}

/* Without a host's port in `wanted`, every binding of the port goes; without an address, those of every address. */
static bool is_meant(const struct port_binding *wanted, const struct port_binding *binding)
{
    return (!string_is_set(wanted->host_port) || string_equal(wanted->host_port, binding->host_port)) &&
           (!string_is_set(wanted->host_ip) || string_equal(wanted->host_ip, binding->host_ip));
}

static size_t remove_bindings(struct record_map *map, const char *key, const struct port_binding *wanted)
{
    struct record_list *list = find_list(map, key);
    size_t removed = 0;
    for (size_t i = list ? list->count : 0; i-- > 0;)
        if (is_meant(wanted, RECORD_AT(*list, struct port_binding, i))) {
            record_list_remove(list, &port_binding_type, i);
            removed++;
        }
    return removed;
}

static bool has_binding(struct record_map *map, const char *key, const struct port_binding *wanted)
{
    struct record_list *list = find_list(map, key);
    for (size_t i = 0; list && i < list->count; i++)
        if (is_meant(wanted, RECORD_AT(*list, struct port_binding, i)))
            return true;
    return false;
}

static void add_bindings(struct record_map *map, const struct record_map *more)
{
    for (size_t i = 0; i < more->keys.count; i++) {
        _cleanup_free_ char *key = port_key(more->keys.items[i]);
        const struct record_list *from = RECORD_AT(*more, struct record_list, i);
        struct record_list *to = find_list(map, key);
        if (!to)
            to = record_map_put(map, &record_list_type, key);
        for (size_t j = 0; j < from->count; j++) {
            const struct port_binding *binding = RECORD_AT(*from, struct port_binding, j);
            bool is_there = false;
            for (size_t k = 0; k < to->count; k++)
                is_there = is_there || is_same(binding, RECORD_AT(*to, struct port_binding, k));
            if (!is_there)
                record_copy(&port_binding_type, record_list_add(to, &port_binding_type), binding);
        }
    }
}

static bool check_removal(struct container_record *record, const struct record_map *removed, bool is_running,
                          struct error *err)
{
    struct record_map *map = is_running ? &record->ports : &record->host_config.port_bindings;
    for (size_t i = 0; i < removed->keys.count; i++) {
        _cleanup_free_ char *key = port_key(removed->keys.items[i]);
        const struct record_list *list = RECORD_AT(*removed, struct record_list, i);
        for (size_t j = 0; j < list->count; j++) {
            const struct port_binding *wanted = RECORD_AT(*list, struct port_binding, j);
            if (!has_binding(map, key, wanted))
                return error_set(err, ERROR_NOT_FOUND, "port %s is not published%s%s", key,
                                 string_is_set(wanted->host_port) ? " at " : "", string_or_empty(wanted->host_port));
        }
    }
    return true;
}

bool networks_update_ports(struct container *container, const struct record_map *added,
                           const struct record_map *removed, struct error *err)
{
    struct container_record *record = &container->record;
    struct record_map shown = {0};
    if (!added->keys.count && !removed->keys.count)
        return true;
    container_lock(container);
    bool is_running = status_has_process(container->status);
    bool has_network = networks_gateway(&record->endpoints, NULL) != NULL;
    bool is_good = check_removal(record, removed, is_running, err);
    container_unlock(container);
    if (is_good && is_running && added->keys.count)
        is_good = has_network ? networks_publish(container, added, &shown, err)
                              : error_set(err, ERROR_CONFLICT,
                                          "the container has no network that ports could be published from");
    if (!is_good)
        return false;
    for (size_t i = 0; i < removed->keys.count; i++) {
        _cleanup_free_ char *key = port_key(removed->keys.items[i]);
        const struct record_list *list = RECORD_AT(*removed, struct record_list, i);
        for (size_t j = 0; j < list->count; j++) {
            const struct port_binding *wanted = RECORD_AT(*list, struct port_binding, j);
            if (is_running)
                network_unpublish(container->engine->network, record->id, key,
                                  string_is_set(wanted->host_ip) ? wanted->host_ip : NULL,
                                  string_is_set(wanted->host_port) ? wanted->host_port : NULL);
            container_lock(container);
            remove_bindings(&record->ports, key, wanted);
            remove_bindings(&record->host_config.port_bindings, key, wanted);
            container_unlock(container);
        }
    }
    container_lock(container);
    add_bindings(&record->ports, &shown);
    add_bindings(&record->host_config.port_bindings, added);
    container_unlock(container);
    networks_release_bindings(&shown);
    return true;
}
