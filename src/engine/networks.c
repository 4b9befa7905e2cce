#include "engine/networks.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "network/network.h"

static void lists_map_release(struct record_map *map)
{
    for (size_t i = 0; i < map->keys.count; i++)
        record_list_release(RECORD_AT(*map, struct record_list, i), &port_binding_type);
    free(TAKE_PTR(map->items));
    strlist_release(&map->keys);
}

static void endpoints_release(struct record_map *map)
{
    for (size_t i = 0; i < map->keys.count; i++)
        record_release(&endpoint_settings_type, RECORD_AT(*map, struct endpoint_settings, i));
    free(TAKE_PTR(map->items));
    strlist_release(&map->keys);
}

void attachment_set_release(struct attachment_set *set)
{
    endpoints_release(&set->endpoints);
    lists_map_release(&set->ports);
}

/* What belongs to a run goes, what was asked for stays. */
static void forget_run(struct endpoint_settings *shown)
{
    char **const texts[] = {&shown->endpoint_id, &shown->gateway,      &shown->ip_address,
                            &shown->mac_address, &shown->ipv6_gateway, &shown->global_ipv6_address};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        string_replace(texts[i], NULL);
    shown->ip_prefix_length = shown->global_ipv6_prefix_length = 0;
}

void networks_forget_run(struct container_record *record)
{
    for (size_t i = 0; i < record->endpoints.keys.count; i++)
        forget_run(RECORD_AT(record->endpoints, struct endpoint_settings, i));
    lists_map_release(&record->ports);
}

/* The endpoint of the default route, of those that lead out in one of the families. */
static const struct endpoint_settings *best_gateway(const struct record_map *endpoints, bool with_v4, bool with_v6,
                                                    const char **name)
{
    const struct endpoint_settings *best = NULL;
    const char *best_name = NULL;
    for (size_t i = 0; i < endpoints->keys.count; i++) {
        const struct endpoint_settings *candidate = RECORD_AT(*endpoints, struct endpoint_settings, i);
        const char *key = endpoints->keys.items[i];
        if (!(with_v4 && string_is_set(candidate->gateway)) && !(with_v6 && string_is_set(candidate->ipv6_gateway)))
            continue;
        if (!best || candidate->gateway_priority > best->gateway_priority ||
            (candidate->gateway_priority == best->gateway_priority && strcmp(key, best_name) < 0)) {
            best = candidate;
            best_name = key;
        }
    }
    if (name)
        *name = best_name;
    return best;
}

const struct endpoint_settings *networks_gateway(const struct record_map *endpoints, const char **name)
{
    return best_gateway(endpoints, true, true, name);
}

/* --- names --- */

static void add_name(struct strlist *names, const char *name)
{
    if (string_is_set(name) && !strlist_contains(names, name))
        strlist_add(names, name);
}

/* By which others find the container in a network of the user's own. */
static void fill_names(const struct container_record *record, struct endpoint_settings *endpoint)
{
    _cleanup_free_ char *short_id = xstrndup(record->id, ID_SHORT_LENGTH);
    strlist_release(&endpoint->dns_names);
    add_name(&endpoint->dns_names, record->name);
    for (size_t i = 0; i < endpoint->aliases.count; i++)
        add_name(&endpoint->dns_names, endpoint->aliases.items[i]);
    add_name(&endpoint->dns_names, short_id);
    add_name(&endpoint->dns_names, record->config.hostname);
}

void networks_rename(struct container *container)
{
    container_lock(container);
    struct container_record *record = &container->record;
    for (size_t i = 0; i < record->endpoints.keys.count; i++) {
        struct endpoint_settings *endpoint = RECORD_AT(record->endpoints, struct endpoint_settings, i);
        if (!strlist_is_given(&endpoint->dns_names))
            continue;
        fill_names(record, endpoint);
        network_set_names(container->engine->network, record->id, string_or_empty(endpoint->network_id),
                          &endpoint->dns_names);
    }
    container_unlock(container);
}

/* --- start --- */

static bool check_endpoint(struct network_manager *manager, const char *network, const struct endpoint_settings *asked,
                           struct error *err)
{
    _cleanup_free_ char *problems = network_endpoint_problems(manager, network, asked);
    return !problems || error_set(err, ERROR_INVALID, "invalid endpoint settings:%s", problems);
}

/* Joins one network. The interface, where the network has one, is added to `interfaces`; unless is_numbered, its name
   is a prefix to which who adds it appends a number. */
static bool join(struct container *container, const char *reference, const struct endpoint_settings *asked,
                 bool is_numbered, struct record_list *interfaces, struct record_map *endpoints, struct error *err)
{
    struct network_manager *manager = container->engine->network;
    struct network_record network = {0};
    struct launch_interface interface = {0};
    struct endpoint_settings wanted = {0}, shown = {0};
    if (!network_get(manager, reference, &network, err))
        return false;
    record_copy(&endpoint_settings_type, &wanted, asked);
    strlist_release(&wanted.dns_names);
    container_lock(container);
    if (!network_is_predefined(network.name))
        fill_names(&container->record, &wanted);
    bool is_link_wanted = !container->record.config.network_disabled;
    container_unlock(container);
    bool is_joined = check_endpoint(manager, network.name, &wanted, err) &&
                     network_join(manager, network.id, container->record.id, &wanted, &interface, &shown, err);
    if (is_joined) {
        struct endpoint_settings *place = record_map_put(endpoints, &endpoint_settings_type, network.name);
        record_release(&endpoint_settings_type, place);
        *place = shown;
        shown = (struct endpoint_settings){0};
    }
    if (is_joined && interface.parent && is_link_wanted) {
        struct launch_interface *place = record_list_add(interfaces, &launch_interface_type);
        *place = interface;
        interface = (struct launch_interface){0};
        if (!place->has_own_name && is_numbered) {
            _cleanup_free_ char *prefix = place->name;
            place->name = xasprintf("%s%zu", prefix, interfaces->count - 1);
        }
    }
    record_release(&launch_interface_type, &interface);
    record_release(&endpoint_settings_type, &wanted);
    record_release(&endpoint_settings_type, &shown);
    record_release(&network_record_type, &network);
    return is_joined;
}

/* The network of the mode comes first and gets eth0, the others by name. */
static void order_networks(struct container *container, struct strlist *out)
{
    container_lock(container);
    const char *mode = container->record.host_config.network_mode;
    strlist_copy(out, &container->record.endpoints.keys);
    container_unlock(container);
    strlist_sort(out);
    struct network_record network = {0};
    const char *first = network_get(container->engine->network, mode, &network, NULL) ? network.name : mode;
    for (size_t i = 0; i < out->count; i++)
        if (string_equal(out->items[i], first) || string_equal(out->items[i], mode)) {
            char *item = out->items[i];
            memmove(&out->items[1], &out->items[0], i * sizeof(char *));
            out->items[0] = item;
            break;
        }
    record_release(&network_record_type, &network);
}

static bool join_all(struct container *container, struct launch *launch, struct record_map *endpoints,
                     struct error *err)
{
    _cleanup_strlist_ struct strlist order = {0};
    order_networks(container, &order);
    for (size_t i = 0; i < order.count; i++) {
        struct endpoint_settings asked = {0};
        container_lock(container);
        const struct endpoint_settings *kept =
            record_map_get(&container->record.endpoints, &endpoint_settings_type, order.items[i]);
        if (kept)
            record_copy(&endpoint_settings_type, &asked, kept);
        if (i == 0 && !string_is_set(asked.mac_address) && string_is_set(container->record.config.mac_address))
            string_replace(&asked.mac_address, container->record.config.mac_address);
        container_unlock(container);
        bool is_joined = join(container, order.items[i], &asked, true, &launch->interfaces, endpoints, err);
        record_release(&endpoint_settings_type, &asked);
        if (!is_joined)
            return false;
    }
    return true;
}

static void set_gateway(struct launch *launch, const struct record_map *endpoints, bool has_ports)
{
    const struct endpoint_settings *v4 = best_gateway(endpoints, true, false, NULL),
                                   *v6 = best_gateway(endpoints, false, true, NULL);
    for (size_t i = 0; i < launch->interfaces.count; i++) {
        struct launch_interface *interface = RECORD_AT(launch->interfaces, struct launch_interface, i);
        char name[16];
        if (v4 && string_equal(interface->host_name, network_link_name(v4->endpoint_id, name)))
            interface->gateway = xstrdup(v4->gateway);
        if (v6 && string_equal(interface->host_name, network_link_name(v6->endpoint_id, name)))
            interface->gateway6 = xstrdup(v6->ipv6_gateway);
        interface->has_hairpin = has_ports && (interface->gateway || interface->gateway6);
    }
}

/* What is to be published: the bindings, and with -P a port of the host's choice for every other exposed one. */
static void collect_bindings(struct container *container, struct record_map *out)
{
    container_lock(container);
    const struct host_config *host = &container->record.host_config;
    const struct strlist *exposed = &container->record.config.exposed_ports;
    for (size_t i = 0; i < host->port_bindings.keys.count; i++) {
        const struct record_list *asked = RECORD_AT(host->port_bindings, struct record_list, i);
        const char *key = host->port_bindings.keys.items[i];
        _cleanup_free_ char *port = strchr(key, '/') ? xstrdup(key) : xasprintf("%s/tcp", key);
        struct record_list *list = asked->count ? record_map_put(out, &record_list_type, port) : NULL;
        for (size_t j = 0; j < asked->count; j++)
            record_copy(&port_binding_type, record_list_add(list, &port_binding_type),
                        RECORD_AT(*asked, struct port_binding, j));
    }
    for (size_t i = 0; i < exposed->count && host->publish_all_ports; i++)
        if (!record_map_get(out, &record_list_type, exposed->items[i]))
            record_list_add(record_map_put(out, &record_list_type, exposed->items[i]), &port_binding_type);
    container_unlock(container);
}

static bool publish_at(struct container *container, const struct record_map *endpoints,
                       const struct record_map *bindings, bool is_again, struct record_map *shown, struct error *err)
{
    struct network_manager *manager = container->engine->network;
    const char *network;
    const struct endpoint_settings *gateway = networks_gateway(endpoints, &network);
    if (!gateway || !bindings->keys.count)
        return true;
    _cleanup_free_ char *host_ip = network_host_binding(manager, network);
    struct network_publish where = {.container_id = container->record.id,
                                    .network = network,
                                    .address = gateway->ip_address,
                                    .address6 = gateway->global_ipv6_address,
                                    .host_ip = string_equal(host_ip, "0.0.0.0") ? NULL : host_ip,
                                    .endpoint_name = container->record.name,
                                    .endpoint_id = gateway->endpoint_id,
                                    .is_again = is_again};
    return network_publish(manager, &where, bindings, shown, err);
}

bool networks_publish(struct container *container, const struct record_map *bindings, struct record_map *shown,
                      struct error *err)
{
    const struct endpoint_settings *gateway = networks_gateway(&container->record.endpoints, NULL);
    struct record_map complete = {0};
    for (size_t i = 0; i < bindings->keys.count; i++) {
        const char *key = bindings->keys.items[i];
        _cleanup_free_ char *port = strchr(key, '/') ? xstrdup(key) : xasprintf("%s/tcp", key);
        const struct record_list *from = RECORD_AT(*bindings, struct record_list, i);
        struct record_list *to = record_map_put(&complete, &record_list_type, port);
        for (size_t j = 0; j < from->count; j++)
            record_copy(&port_binding_type, record_list_add(to, &port_binding_type),
                        RECORD_AT(*from, struct port_binding, j));
    }
    if (gateway)
        network_prepare_link(gateway->endpoint_id);
    bool is_done = publish_at(container, &container->record.endpoints, &complete, false, shown, err);
    lists_map_release(&complete);
    return is_done;
}

void networks_release_bindings(struct record_map *bindings)
{
    lists_map_release(bindings);
}

bool networks_join(struct container *container, struct launch *launch, struct attachment_set *out, struct error *err)
{
    struct network_manager *manager = container->engine->network;
    struct record_map bindings = {0};
    struct attachment_set made = {0};
    if (string_starts_with(container->record.host_config.network_mode, "container:"))
        return true;
    bool is_joined = join_all(container, launch, &made.endpoints, err);
    if (is_joined) {
        for (size_t i = 0; i < made.endpoints.keys.count; i++)
            launch->wants_resolver |= !network_is_predefined(made.endpoints.keys.items[i]);
        collect_bindings(container, &bindings);
        set_gateway(launch, &made.endpoints, bindings.keys.count > 0);
        is_joined = publish_at(container, &made.endpoints, &bindings, false, &made.ports, err);
        lists_map_release(&bindings);
    }
    if (is_joined) {
        *out = made;
        return true;
    }
    attachment_set_release(&made);
    network_leave(manager, container->record.id, NULL);
    return false;
}

void networks_serve_dns(struct container *container)
{
    const struct container_record *record = &container->record;
    int sockets[2];
    struct error err = ERROR_INIT;
    _cleanup_free_ char *directory = container_run_path(container);
    bool has_resolver = false;
    for (size_t i = 0; i < record->endpoints.keys.count; i++)
        has_resolver |= !network_is_predefined(record->endpoints.keys.items[i]);
    if (!has_resolver)
        return;
    if (!shim_resolver(directory, sockets, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "container %s has no DNS", record->id);
    else if (sockets[0] >= 0)
        network_serve_dns(container->engine->network, record->id, sockets, &record->host_config.dns,
                          &record->host_config.dns_options);
}

void networks_readopt(struct container *container)
{
    struct container_record *record = &container->record;
    struct record_map shown = {0};
    for (size_t i = 0; i < record->endpoints.keys.count; i++) {
        const struct endpoint_settings *endpoint = RECORD_AT(record->endpoints, struct endpoint_settings, i);
        if (string_is_set(endpoint->endpoint_id))
            network_readopt(container->engine->network, record->id, endpoint);
    }
    publish_at(container, &record->endpoints, &record->ports, true, &shown, NULL);
    lists_map_release(&shown);
    networks_serve_dns(container);
}

/* --- connect and disconnect --- */

static bool check_connect(const struct container_record *record, const struct network_record *network,
                          struct error *err)
{
    const char *mode = record->host_config.network_mode;
    if (string_starts_with(mode, "container:"))
        return error_set(err, ERROR_INVALID,
                         "container sharing network namespace with another container or host cannot be connected to "
                         "any other network");
    if (string_equal(mode, "host") || string_equal(network->name, "host"))
        return error_set(err, ERROR_INVALID,
                         "container cannot be disconnected from host network or connected to host network");
    bool has_others =
        record->endpoints.keys.count > 0 && !record_map_get(&record->endpoints, &endpoint_settings_type, network->name);
    bool is_private = record_map_get(&record->endpoints, &endpoint_settings_type, "none") != NULL;
    if (has_others && (is_private || string_equal(network->name, "none")))
        return error_set(err, ERROR_INVALID,
                         "container cannot be connected to multiple networks with one of the networks in private "
                         "(none) mode");
    return true;
}

/* Publishes anew where another network has become the one of the default route. With the operation held. */
static void move_ports(struct container *container, const char *old_address)
{
    struct record_map shown = {0};
    struct error err = ERROR_INIT;
    struct container_record *record = &container->record;
    const struct endpoint_settings *gateway = networks_gateway(&record->endpoints, NULL);
    if (!record->ports.keys.count || (gateway && string_equal(gateway->ip_address, old_address)))
        return;
    network_unpublish(container->engine->network, record->id, NULL, NULL, NULL);
    if (gateway)
        network_prepare_link(gateway->endpoint_id);
    if (!publish_at(container, &record->endpoints, &record->ports, true, &shown, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "container %s", record->id);
    lists_map_release(&shown);
}

/* The routes follow from the endpoints that the record has now. */
static bool change_shim(struct container *container, struct record_list *interfaces, const char *gone,
                        bool opens_resolver, struct error *err)
{
    _cleanup_free_ char *directory = container_run_path(container);
    container_lock(container);
    const struct endpoint_settings *v4 = best_gateway(&container->record.endpoints, true, false, NULL),
                                   *v6 = best_gateway(&container->record.endpoints, false, true, NULL);
    _cleanup_free_ char *gateway = xstrdup(v4 ? v4->gateway : ""), *gateway6 = xstrdup(v6 ? v6->ipv6_gateway : "");
    container_unlock(container);
    struct network_change change = {.interfaces = *interfaces,
                                    .sets_gateway = true,
                                    .gateway = gateway,
                                    .gateway6 = gateway6,
                                    .removes = (char *)(uintptr_t)string_or_empty(gone),
                                    .opens_resolver = opens_resolver};
    return shim_change_network(directory, &change, err);
}

/* Of a container that runs, in its operation: nobody else changes its endpoints. */
static bool connect_running(struct container *container, const struct network_record *network,
                            const struct endpoint_settings *asked, struct error *err)
{
    struct container_record *record = &container->record;
    struct network_manager *manager = container->engine->network;
    struct record_list interfaces = {0};
    struct record_map joined = {0};
    const struct endpoint_settings *before = networks_gateway(&record->endpoints, NULL);
    _cleanup_free_ char *old_address = xstrdup(before ? before->ip_address : NULL);
    if (record_map_get(&record->endpoints, &endpoint_settings_type, network->name))
        return error_set(err, ERROR_DENIED, "endpoint with name %s already exists in network %s", record->name,
                         network->name);
    bool had_resolver = false;
    for (size_t i = 0; i < record->endpoints.keys.count; i++)
        had_resolver |= !network_is_predefined(record->endpoints.keys.items[i]);
    if (!join(container, network->id, asked, false, &interfaces, &joined, err))
        return false;
    container_lock(container);
    struct endpoint_settings *place = record_map_put(&record->endpoints, &endpoint_settings_type, network->name);
    record_copy(&endpoint_settings_type, place, RECORD_AT(joined, struct endpoint_settings, 0));
    container_unlock(container);
    bool needs_resolver = !network_is_predefined(network->name) && !had_resolver;
    bool is_done = !interfaces.count || change_shim(container, &interfaces, NULL, needs_resolver, err);
    if (!is_done) {
        network_leave(manager, record->id, network->id);
        container_lock(container);
        record_map_remove(&record->endpoints, &endpoint_settings_type, network->name);
        container_unlock(container);
    } else {
        move_ports(container, old_address);
        if (needs_resolver)
            networks_serve_dns(container);
        struct error unwritten = ERROR_INIT;
        if (!networks_change_files(container, NULL, RECORD_AT(joined, struct endpoint_settings, 0), needs_resolver,
                                   &unwritten))
            log_and_release(LOG_LEVEL_WARNING, &unwritten, "container %s", record->id);
    }
    record_list_release(&interfaces, &launch_interface_type);
    endpoints_release(&joined);
    return is_done;
}

static bool connect_stopped(struct container *container, const struct network_record *network,
                            const struct endpoint_settings *asked, struct error *err)
{
    if (!check_endpoint(container->engine->network, network->name, asked, err))
        return false;
    container_lock(container);
    struct endpoint_settings *place =
        record_map_put(&container->record.endpoints, &endpoint_settings_type, network->name);
    record_copy(&endpoint_settings_type, place, asked);
    if (!network_is_predefined(network->name))
        fill_names(&container->record, place);
    container_unlock(container);
    return true;
}

static bool is_mac_address(const char *text)
{
    unsigned char bytes[6];
    char rest;
    return strlen(text) == 17 && sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &bytes[0], &bytes[1], &bytes[2],
                                        &bytes[3], &bytes[4], &bytes[5], &rest) == 6;
}

static bool connect(struct container *container, const struct network_record *network,
                    const struct endpoint_settings *asked, struct error *err)
{
    if (string_is_set(asked->mac_address) && !is_mac_address(asked->mac_address))
        return error_set(err, ERROR_INVALID, "invalid MAC address %s", asked->mac_address);
    container_lock(container);
    bool is_running = status_has_process(container->status);
    bool is_possible = check_connect(&container->record, network, err);
    container_unlock(container);
    return is_possible && check_endpoint(container->engine->network, network->name, asked, err) &&
           (is_running ? connect_running(container, network, asked, err)
                       : connect_stopped(container, network, asked, err)) &&
           container_save(container, DURABLE, err);
}

/* As Docker: for a container that runs. */
static void emit(struct container *container, const struct network_record *network, const char *action)
{
    container_lock(container);
    bool is_running = status_has_process(container->status);
    container_unlock(container);
    if (is_running)
        event_emit_pairs(container->engine, "network", action, network->id, "container", container->record.id, "name",
                         network->name, "type", network->driver, NULL);
}

bool networks_connect(struct engine *engine, const char *reference, struct network_connect_request *request,
                      struct error *err)
{
    struct network_record network = {0};
    const struct endpoint_settings none = {0};
    if (!string_is_set(request->container))
        return error_set(err, ERROR_INVALID, "invalid name or ID supplied: \"\"");
    _cleanup_container_ struct container *container = NULL;
    bool is_done = network_get(engine->network, reference, &network, err) &&
                   (container = container_find(engine, request->container, err)) &&
                   container_begin(container, request->container, err);
    if (is_done) {
        is_done = connect(container, &network, request->endpoint_config ? request->endpoint_config : &none, err);
        if (is_done)
            emit(container, &network, "connect");
        container_end(container);
    }
    record_release(&network_record_type, &network);
    return is_done;
}

static bool disconnect_running(struct container *container, const char *name, struct error *err)
{
    struct container_record *record = &container->record;
    struct endpoint_settings gone = {0};
    struct record_list no_interfaces = {0};
    const struct endpoint_settings *before = networks_gateway(&record->endpoints, NULL);
    _cleanup_free_ char *old_address = xstrdup(before ? before->ip_address : NULL);
    container_lock(container);
    record_copy(&endpoint_settings_type, &gone, record_map_get(&record->endpoints, &endpoint_settings_type, name));
    record_map_remove(&record->endpoints, &endpoint_settings_type, name);
    container_unlock(container);
    bool is_done = true;
    const char *gone_address = string_is_set(gone.ip_address) ? gone.ip_address : gone.global_ipv6_address;
    if (string_is_set(gone_address)) {
        /* A veth goes with its end here; what is on a parent is known by its address. */
        is_done = network_remove_link(gone.endpoint_id, err) &&
                  change_shim(container, &no_interfaces, gone_address, false, err);
        move_ports(container, old_address);
        struct error unwritten = ERROR_INIT;
        if (!networks_change_files(container, &gone, NULL, false, &unwritten))
            log_and_release(LOG_LEVEL_WARNING, &unwritten, "container %s", record->id);
    }
    network_leave(container->engine->network, record->id, gone.network_id);
    record_release(&endpoint_settings_type, &gone);
    return is_done;
}

static bool disconnect(struct container *container, const struct network_record *network, struct error *err)
{
    struct container_record *record = &container->record;
    container_lock(container);
    bool is_running = status_has_process(container->status);
    bool is_connected = record_map_get(&record->endpoints, &endpoint_settings_type, network->name) != NULL;
    bool is_host = string_equal(record->host_config.network_mode, "host") && string_equal(network->name, "host");
    if (!is_running && is_connected && !is_host)
        record_map_remove(&record->endpoints, &endpoint_settings_type, network->name);
    container_unlock(container);
    if (is_host && is_running)
        return error_set(err, ERROR_INVALID,
                         "container cannot be disconnected from host network or connected to host network");
    if (!is_connected)
        return error_set(err, ERROR_INTERNAL, "container %s is not connected to %snetwork %s", record->id,
                         is_running ? "" : "the ", network->name);
    return (!is_running || disconnect_running(container, network->name, err)) &&
           container_save(container, DURABLE, err);
}

bool networks_disconnect(struct engine *engine, const char *reference, struct network_connect_request *request,
                         struct error *err)
{
    struct network_record network = {0};
    if (!string_is_set(request->container))
        return error_set(err, ERROR_INVALID, "invalid name or ID supplied: \"\"");
    _cleanup_container_ struct container *container = NULL;
    bool is_there = network_get(engine->network, reference, &network, err);
    if (is_there && !(container = container_find(engine, request->container, err)) && request->is_forced)
        error_set(err, ERROR_NOT_FOUND, "endpoint %s not found", request->container);
    bool is_done = container && container_begin(container, request->container, err);
    if (is_done) {
        is_done = disconnect(container, &network, err);
        if (is_done)
            emit(container, &network, "disconnect");
        container_end(container);
    }
    record_release(&network_record_type, &network);
    return is_done;
}

bool networks_create(struct engine *engine, struct network_create_request *request, char **id, struct error *err)
{
    struct network_record network = {0};
    if (!network_create(engine->network, request, id, err))
        return false;
    if (network_get(engine->network, *id, &network, NULL))
        event_emit_pairs(engine, "network", "create", network.id, "name", network.name, "type", network.driver, NULL);
    record_release(&network_record_type, &network);
    return true;
}

bool networks_remove(struct engine *engine, const char *reference, struct error *err)
{
    struct network_record network = {0};
    bool is_removed =
        network_get(engine->network, reference, &network, err) && network_remove(engine->network, network.id, err);
    if (is_removed)
        event_emit_pairs(engine, "network", "destroy", network.id, "name", network.name, "type", network.driver, NULL);
    record_release(&network_record_type, &network);
    return is_removed;
}
