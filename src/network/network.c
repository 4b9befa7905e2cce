#include "network/network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <pthread.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "network/address_pool.h"
#include "network/firewall.h"

#define NETWORK_COUNT 3

/* An address that is in use, and by whom. */
struct endpoint {
    char container_id[ID_LENGTH + 1];
    uint32_t address;
};

struct network_manager {
    pthread_mutex_t mutex;
    struct network_summary networks[NETWORK_COUNT];
    char *ids[NETWORK_COUNT];
    char *bridge;
    char *bridge_address; /* as configured, or NULL */
    bool is_bridge_disabled;
    bool has_nat;
    int64_t mtu;
    bool is_ready; /* the bridge is there, `gateway` and `pool` are set */
    struct ipv4_prefix gateway;
    struct address_pool pool;
    struct endpoint *endpoints;
    size_t endpoint_count;
};

/* Docker's default address pools (daemon option default-address-pools), as far as they are of use for one bridge. */
static const char *const default_pools[] = {
    "172.17.0.1/16",  "172.18.0.1/16",   "172.19.0.1/16",   "172.20.0.1/16",   "172.21.0.1/16",
    "172.22.0.1/16",  "172.23.0.1/16",   "172.24.0.1/16",   "172.25.0.1/16",   "172.26.0.1/16",
    "172.27.0.1/16",  "172.28.0.1/16",   "172.29.0.1/16",   "172.30.0.1/16",   "172.31.0.1/16",
    "192.168.0.1/20", "192.168.16.1/20", "192.168.32.1/20", "192.168.48.1/20", "192.168.64.1/20",
};

/* Ids are drawn once and kept, so that clients that remember a network's id find it again. */
static bool read_ids(struct network_manager *manager, struct database *database, struct error *err)
{
    _cleanup_strmap_ struct strmap known = {0};
    if (!database_all(database, "network", &known, err))
        return false;
    for (size_t i = 0; i < NETWORK_COUNT; i++) {
        for (size_t k = 0; k < known.count; k++)
            if (string_equal(known.items[k].value, manager->networks[i].name))
                string_replace(&manager->ids[i], known.items[k].key);
        if (!manager->ids[i]) {
            manager->ids[i] = xcalloc(1, ID_LENGTH + 1);
            id_generate(manager->ids[i]);
            if (!database_put(database, "network", manager->ids[i], manager->networks[i].name, DURABLE, err))
                return false;
        }
        manager->networks[i].id = manager->ids[i];
    }
    return true;
}

static void manager_free(struct network_manager *manager)
{
    for (size_t i = 0; i < NETWORK_COUNT; i++)
        free(manager->ids[i]);
    address_pool_release(&manager->pool);
    free(manager->endpoints);
    free(manager->bridge);
    free(manager->bridge_address);
    pthread_mutex_destroy(&manager->mutex);
    free(manager);
}

struct network_manager *network_open(struct database *database, const struct network_options *options,
                                     struct error *err)
{
    struct ipv4_prefix configured;
    if (options->bridge_address && !ipv4_prefix_parse(options->bridge_address, &configured)) {
        error_set(err, ERROR_INVALID, "invalid CIDR address: %s", options->bridge_address);
        return NULL;
    }
    const char *bridge = options->bridge_name ? options->bridge_name : "wherry0";
    if (strlen(bridge) >= IFNAMSIZ ||
        strspn(bridge, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != strlen(bridge)) {
        error_set(err, ERROR_INVALID, "invalid bridge name: %s", bridge);
        return NULL;
    }
    struct network_manager *manager = NEW(struct network_manager);
    pthread_mutex_init(&manager->mutex, NULL);
    manager->networks[0] = (struct network_summary){.name = "bridge", .driver = "bridge"};
    manager->networks[1] = (struct network_summary){.name = "host", .driver = "host"};
    manager->networks[2] = (struct network_summary){.name = "none", .driver = "null"};
    manager->bridge = xstrdup(bridge);
    manager->bridge_address = xstrdup(options->bridge_address);
    manager->is_bridge_disabled = options->is_bridge_disabled;
    manager->has_nat = options->has_nat;
    manager->mtu = options->mtu ? options->mtu : 1500;
    if (!read_ids(manager, database, err)) {
        manager_free(manager);
        return NULL;
    }
    return manager;
}

void network_close(struct network_manager *manager)
{
    if (!manager)
        return;
    bool is_ours;
    if (manager->endpoint_count == 0 && !manager->is_bridge_disabled && netlink_find(manager->bridge, &is_ours) &&
        is_ours) {
        /* What cannot be removed now is found and used again by the next start. */
        netlink_remove(manager->bridge, NULL);
        if (manager->has_nat)
            firewall_unload(manager->bridge, NULL);
    }
    manager_free(manager);
}

const struct network_summary *network_find(struct network_manager *manager, const char *name)
{
    const struct network_summary *found = NULL;
    for (size_t i = 0; i < NETWORK_COUNT; i++)
        if (strcmp(manager->networks[i].name, name) == 0)
            return &manager->networks[i];
    for (size_t i = 0; i < NETWORK_COUNT && *name; i++) {
        if (!string_starts_with(manager->networks[i].id, name))
            continue;
        if (found)
            return NULL;
        found = &manager->networks[i];
    }
    return found;
}

const struct network_summary *network_at(struct network_manager *manager, size_t index)
{
    return index < NETWORK_COUNT ? &manager->networks[index] : NULL;
}

static bool choose_gateway(struct network_manager *manager, struct ipv4_prefix *out, struct error *err)
{
    if (manager->bridge_address)
        return ipv4_prefix_parse(manager->bridge_address, out);
    for (size_t i = 0; i < ARRAY_SIZE(default_pools); i++) {
        bool overlaps;
        ipv4_prefix_parse(default_pools[i], out);
        if (!netlink_route_overlaps(*out, &overlaps, err))
            return false;
        if (!overlaps)
            return true;
    }
    return error_set(err, ERROR_INTERNAL, "all predefined address pools have been fully subnetted");
}

/* The bridge, its rules and its pool, once; a bridge that is there (of the user's, or of our own earlier run) is used.
 */
static bool make_ready(struct network_manager *manager, struct error *err)
{
    if (manager->is_ready)
        return true;
    bool is_ours;
    unsigned index = netlink_find(manager->bridge, &is_ours);
    struct ipv4_prefix gateway;
    if (!index) {
        if (!choose_gateway(manager, &gateway, err) ||
            !netlink_make_bridge(manager->bridge, gateway, manager->mtu, err))
            return false;
    } else if (!netlink_address(index, &gateway)) {
        return error_set(err, ERROR_INTERNAL, "bridge %s has no IPv4 address", manager->bridge);
    }
    if (!firewall_enable_forwarding(err) || (manager->has_nat && !firewall_load(manager->bridge, gateway, err)))
        return false;
    manager->gateway = gateway;
    address_pool_init(&manager->pool, gateway);
    address_pool_reserve(&manager->pool, gateway.address);
    for (size_t i = 0; i < manager->endpoint_count; i++)
        address_pool_reserve(&manager->pool, manager->endpoints[i].address);
    manager->is_ready = true;
    return true;
}

static void add_endpoint(struct network_manager *manager, const char *container_id, uint32_t address)
{
    struct endpoint *endpoint = APPEND(manager->endpoints, manager->endpoint_count);
    snprintf(endpoint->container_id, sizeof(endpoint->container_id), "%s", container_id);
    endpoint->address = address;
}

static void fill_interface(const struct network_manager *manager, uint32_t address, const char *mac,
                           struct launch_interface *interface)
{
    char id[ID_LENGTH + 1], text[INET_ADDRSTRLEN];
    id_generate(id);
    interface->host_name = xasprintf("veth%.7s", id);
    interface->bridge = xstrdup(manager->bridge);
    interface->name = xstrdup("eth0");
    interface->mac = xstrdup(mac);
    strlist_addf(&interface->addresses, "%s/%u", ipv4_format(address, text), manager->gateway.length);
    interface->gateway = xstrdup(ipv4_format(manager->gateway.address, text));
    interface->mtu = manager->mtu;
}

static void fill_settings(const struct network_manager *manager, uint32_t address, const char *mac,
                          struct endpoint_settings *shown)
{
    char id[ID_LENGTH + 1], text[INET_ADDRSTRLEN];
    id_generate(id);
    string_replace(&shown->mac_address, mac);
    string_replace(&shown->network_id, manager->networks[0].id);
    string_replace(&shown->endpoint_id, id);
    string_replace(&shown->gateway, ipv4_format(manager->gateway.address, text));
    string_replace(&shown->ip_address, ipv4_format(address, text));
    shown->ip_prefix_length = manager->gateway.length;
}

static bool join(struct network_manager *manager, const char *container_id, const struct endpoint_settings *requested,
                 struct launch_interface *interface, struct endpoint_settings *shown, struct error *err)
{
    uint32_t address;
    if (!make_ready(manager, err) || !address_pool_take(&manager->pool, &address, err))
        return false;
    /* Docker's rule: a MAC that follows from the address, so that neighbours' ARP caches stay right when it is reused.
     */
    char mac[18];
    snprintf(mac, sizeof(mac), "02:42:%02x:%02x:%02x:%02x", address >> 24, address >> 16 & 255, address >> 8 & 255,
             address & 255);
    const char *chosen = requested && string_is_set(requested->mac_address) ? requested->mac_address : mac;
    add_endpoint(manager, container_id, address);
    fill_interface(manager, address, chosen, interface);
    fill_settings(manager, address, chosen, shown);
    return true;
}

bool network_join(struct network_manager *manager, const char *container_id, const struct endpoint_settings *requested,
                  struct launch_interface *interface, struct endpoint_settings *shown, struct error *err)
{
    if (manager->is_bridge_disabled)
        return error_set(err, ERROR_NOT_FOUND, "network bridge not found");
    if (requested && requested->ipam_config &&
        (string_is_set(requested->ipam_config->ipv4_address) || string_is_set(requested->ipam_config->ipv6_address)))
        return error_set(err, ERROR_INVALID, "user specified IP address is supported on user defined networks only");
    if (requested && requested->aliases.count)
        return error_set(err, ERROR_INVALID, "network-scoped aliases are only supported for user-defined networks");
    pthread_mutex_lock(&manager->mutex);
    bool is_joined = join(manager, container_id, requested, interface, shown, err);
    pthread_mutex_unlock(&manager->mutex);
    return is_joined;
}

void network_leave(struct network_manager *manager, const char *container_id)
{
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->endpoint_count; i++) {
        struct endpoint *endpoint = &manager->endpoints[i];
        if (strcmp(endpoint->container_id, container_id) != 0)
            continue;
        if (manager->is_ready)
            address_pool_give_back(&manager->pool, endpoint->address);
        *endpoint = manager->endpoints[--manager->endpoint_count];
        break;
    }
    pthread_mutex_unlock(&manager->mutex);
}

void network_readopt(struct network_manager *manager, const char *container_id, const struct endpoint_settings *shown)
{
    struct in_addr address;
    if (!shown->ip_address || inet_pton(AF_INET, shown->ip_address, &address) != 1)
        return;
    pthread_mutex_lock(&manager->mutex);
    add_endpoint(manager, container_id, ntohl(address.s_addr));
    if (manager->is_ready)
        address_pool_reserve(&manager->pool, ntohl(address.s_addr));
    pthread_mutex_unlock(&manager->mutex);
}
