/* The bridge driver: a network is a bridge on the host, with an address that is its containers' gateway. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "network/manager.h"

#define OPTION_NAME         "com.docker.network.bridge.name"
#define OPTION_ICC          "com.docker.network.bridge.enable_icc"
#define OPTION_MASQUERADE   "com.docker.network.bridge.enable_ip_masquerade"
#define OPTION_HOST_BINDING "com.docker.network.bridge.host_binding_ipv4"
#define OPTION_MTU          "com.docker.network.driver.mtu"

bool network_is_bridge(const struct network *network)
{
    return string_equal(network->record.driver, "bridge");
}

static bool read_bool(const struct network *network, const char *name, bool *out, struct error *err)
{
    const char *value = strmap_get(&network->record.options, name);
    struct error why = ERROR_INIT;
    if (!value || parse_bool(value, out, &why))
        return true;
    error_set(err, ERROR_INVALID, "failed to parse %s value: %s (%s)", name, value, error_message(&why));
    error_release(&why);
    return false;
}

static bool read_mtu(struct network *network, struct error *err)
{
    const char *value = strmap_get(&network->record.options, OPTION_MTU);
    network->mtu = 0;
    if (!value || (parse_int64(value, &network->mtu) && network->mtu >= 0 && network->mtu <= 65535))
        return true;
    return error_set(err, ERROR_INVALID,
                     "failed to parse " OPTION_MTU " value: %s (strconv.Atoi: parsing \"%s\": invalid syntax)", value,
                     value);
}

static bool is_link_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(name) &&
           !string_equal(name, ".") && !string_equal(name, "..");
}

bool bridge_configure(struct network *network, const char *default_name, struct error *err)
{
    const struct strmap *options = &network->record.options;
    static const char *const refused[] = {"com.docker.network.host_ipv4", "com.docker.network.bridge.inhibit_ipv4",
                                          "com.docker.network.bridge.gateway_mode_ipv4",
                                          "com.docker.network.container_iface_prefix",
                                          "com.docker.network.bridge.trusted_host_interfaces"};
    const char *name = strmap_get(options, OPTION_NAME), *binding = strmap_get(options, OPTION_HOST_BINDING);
    unsigned char bytes[sizeof(struct in6_addr)];
    name = string_is_set(name) ? name : default_name;
    network->has_icc = network->has_nat = true;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (string_is_set(strmap_get(options, refused[i])))
            return error_set(err, ERROR_UNSUPPORTED, "option %s is not supported by this version of Wherry",
                             refused[i]);
    if (!read_mtu(network, err) || !read_bool(network, OPTION_ICC, &network->has_icc, err) ||
        !read_bool(network, OPTION_MASQUERADE, &network->has_nat, err))
        return false;
    if (string_is_set(binding) && inet_pton(AF_INET, binding, bytes) != 1 && inet_pton(AF_INET6, binding, bytes) != 1)
        return error_set(err, ERROR_INVALID, "failed to parse " OPTION_HOST_BINDING " value: %s (nil ip)", binding);
    if (strlen(name) >= IFNAMSIZ)
        return error_set(err, ERROR_INTERNAL, "numerical result out of range");
    if (!is_link_name(name))
        return error_set(err, ERROR_INVALID, "invalid bridge name: %s", name);
    string_replace(&network->bridge, name);
    return true;
}

static uint32_t parse_address(const char *text)
{
    struct in_addr address = {0};
    inet_pton(AF_INET, string_or_empty(text), &address);
    return ntohl(address.s_addr);
}

/* An IPAM config that was checked. Docker's gateway is the first address of the range, or of the subnet. */
static void plan_from_config(struct network *network, const struct ipam_config *config)
{
    struct ipv4_prefix subnet, range;
    ipv4_prefix_parse(config->subnet, &subnet);
    address_pool_init(&network->pool, subnet);
    for (size_t i = 0; i < config->auxiliary.count; i++)
        address_pool_reserve(&network->pool, parse_address(config->auxiliary.items[i].value));
    if (string_is_set(config->ip_range) && ipv4_prefix_parse(config->ip_range, &range))
        network->pool.range = range;
    uint32_t gateway = parse_address(config->gateway);
    if (gateway)
        address_pool_reserve(&network->pool, gateway);
    else if (!address_pool_take(&network->pool, &gateway, NULL))
        gateway = subnet.address;
    network->gateway = (struct ipv4_prefix){gateway, subnet.length};
}

/* The one of the default bridge, and of networks for which nobody named a subnet. */
static void plan_from_gateway(struct network *network, struct ipv4_prefix gateway)
{
    char text[INET_ADDRSTRLEN], subnet[INET_ADDRSTRLEN];
    struct record_list *list = &network->record.ipam.config;
    record_list_release(list, &ipam_config_type);
    struct ipam_config *config = record_list_add(list, &ipam_config_type);
    config->subnet =
        xasprintf("%s/%u", ipv4_format(gateway.address & ipv4_netmask(gateway.length), subnet), gateway.length);
    config->gateway = xstrdup(ipv4_format(gateway.address, text));
    network->gateway = gateway;
    address_pool_init(&network->pool, gateway);
    address_pool_reserve(&network->pool, gateway.address);
}

static bool choose_gateway(struct network_manager *manager, struct ipv4_prefix *out, struct error *err)
{
    if (!subnet_choose(manager, out, err))
        return false;
    out->address++;
    return true;
}

bool bridge_plan(struct network_manager *manager, struct network *network, struct error *err)
{
    struct ipv4_prefix gateway;
    bool is_ours;
    if (network->is_planned)
        return true;
    if (network->record.ipam.config.count) {
        plan_from_config(network, RECORD_AT(network->record.ipam.config, struct ipam_config, 0));
    } else {
        bool is_default = string_equal(network->record.name, "bridge");
        unsigned index = is_default ? netlink_find(network->bridge, &is_ours) : 0;
        if (!(index && netlink_address(index, &gateway)) &&
            !(is_default && manager->bridge_address && ipv4_prefix_parse(manager->bridge_address, &gateway)) &&
            !choose_gateway(manager, &gateway, err))
            return false;
        plan_from_gateway(network, gateway);
    }
    for (size_t i = 0; i < network->endpoint_count; i++)
        address_pool_reserve(&network->pool, network->endpoints[i].address);
    network->is_planned = true;
    return true;
}

bool bridge_make(struct network_manager *manager, struct network *network, struct error *err)
{
    bool is_ours;
    struct ipv4_prefix address;
    if (network->is_ready)
        return true;
    if (!bridge_plan(manager, network, err))
        return false;
    unsigned index = netlink_find(network->bridge, &is_ours);
    if (index && !netlink_address(index, &address))
        return error_set(err, ERROR_INTERNAL, "bridge %s has no IPv4 address", network->bridge);
    if (!index && !netlink_make_bridge(network->bridge, network->gateway, network->mtu, err))
        return false;
    struct firewall_bridge rules = {
        .subnet = network->gateway, .has_nat = network->has_nat, .is_internal = network->record.is_internal};
    snprintf(rules.name, sizeof(rules.name), "%s", network->bridge);
    bool is_made = firewall_enable_forwarding(err) && firewall_enable_loopback(network->bridge, err) &&
                   firewall_add_bridge(manager->firewall, &rules, err) &&
                   (!manager->is_begun || firewall_load(manager->firewall, err));
    if (!is_made) {
        firewall_remove_bridge(manager->firewall, network->bridge, NULL);
        if (!index)
            netlink_remove(network->bridge, NULL);
        return false;
    }
    network->is_ready = true;
    return true;
}

void bridge_remove(struct network_manager *manager, struct network *network)
{
    bool is_ours;
    if (netlink_find(network->bridge, &is_ours) && is_ours)
        netlink_remove(network->bridge, NULL); /* what cannot be removed now is used again by the next start */
    if (network->is_ready)
        firewall_remove_bridge(manager->firewall, network->bridge, NULL);
    network->is_ready = false;
}

char *network_host_binding(struct network_manager *manager, const char *reference)
{
    char *found = NULL;
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, reference, NULL);
    if (network)
        found = xstrdup(strmap_get(&network->record.options, OPTION_HOST_BINDING));
    pthread_mutex_unlock(&manager->mutex);
    return found;
}
