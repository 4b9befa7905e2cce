/* The bridge driver: a network is a bridge on the host, with addresses that are its containers' gateways. */
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "network/manager.h"
#include "network/netlink.h"

bool network_is_bridge(const struct network *network)
{
    return string_equal(network->record.driver, "bridge");
}

static bool has_own_address(const struct network *network, enum ip_family family)
{
    return network->modes[family_index(family)] != GATEWAY_ISOLATED && !(family == IP_V4 && network->inhibits_ipv4);
}

static bool add_addresses(const struct network *network, struct error *err)
{
    for (size_t i = 0; i < network->subnet_count; i++) {
        struct ip_prefix gateway = network->subnets[i].gateway;
        if (!has_own_address(network, gateway.address.family))
            continue;
        if (gateway.address.family == IP_V6) { /* the default for new links may say that they have none */
            _cleanup_free_ char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/disable_ipv6", network->link);
            file_write_text(AT_FDCWD, path, "0", 0644, NULL);
        }
        if (!netlink_add_address(network->link, gateway, err))
            return false;
    }
    return true;
}

/* A user's bridge has its IPv4 address already, and that is the network's gateway. */
static bool check_address(const struct network *network, unsigned index, struct error *err)
{
    struct ip_prefix address;
    if (!network_subnet(network, IP_V4) || !has_own_address(network, IP_V4) || netlink_address(index, &address))
        return true;
    return error_set(err, ERROR_INTERNAL, "bridge %s has no IPv4 address", network->link);
}

/* After the bridge has gone: the containers' links are still there, each for itself. */
static void take_back_ports(const struct network *network)
{
    char name[IFNAMSIZ];
    for (size_t i = 0; i < network->endpoint_count; i++) {
        struct error err = ERROR_INIT;
        network_link_name(network->endpoints[i].id, name);
        if (!if_nametoindex(name))
            continue;
        bool is_back = netlink_set_master(name, network->link, &err) && netlink_set_hairpin(name, &err) &&
                       (network->has_icc || netlink_set_isolated(name, &err));
        if (!is_back)
            log_and_release(LOG_LEVEL_WARNING, &err, "network %s", network->record.name);
    }
}

static bool make_link(struct network *network, struct error *err)
{
    bool is_ours;
    unsigned index = netlink_find(network->link, &is_ours);
    if (index && !is_ours && !check_address(network, index, err))
        return false;
    if (!index && !netlink_make_bridge(network->link, network->mtu, err))
        return false;
    if ((!index || is_ours) ? add_addresses(network, err)
                            : !network_subnet(network, IP_V6) || add_addresses(network, err))
        return true;
    if (!index)
        netlink_remove(network->link, NULL);
    return false;
}

static bool add_rules(struct network_manager *manager, const struct network *network, struct error *err)
{
    _cleanup_free_ char(*trusted)[IFNAMSIZ] = xcalloc(network->trusted.count + 1, sizeof(*trusted));
    struct firewall_bridge rules = {
        .is_internal = network->record.is_internal, .trusted = trusted, .trusted_count = network->trusted.count};
    snprintf(rules.name, sizeof(rules.name), "%s", network->link);
    for (size_t i = 0; i < network->trusted.count; i++)
        snprintf(trusted[i], IFNAMSIZ, "%s", network->trusted.items[i]);
    for (int i = 0; i < 2; i++) {
        const struct network_subnet *subnet = network_subnet(network, i ? IP_V6 : IP_V4);
        if (!subnet)
            continue;
        rules.subnets[i] = subnet->pool.subnet;
        rules.has_nat[i] = network->has_nat && !network->record.is_internal && network->modes[i] != GATEWAY_ROUTED;
        rules.is_routed[i] = network->modes[i] == GATEWAY_ROUTED;
        rules.is_unprotected[i] = network->modes[i] == GATEWAY_NAT_UNPROTECTED;
        rules.outgoing[i] = network->outgoing[i];
        bool is_forwarded = network->record.is_internal || firewall_is_absent(manager->firewall) ||
                            firewall_enable_forwarding(i ? IP_V6 : IP_V4, err);
        if (!is_forwarded || (!i && !firewall_enable_loopback(network->link, err)))
            return false;
    }
    return firewall_add_bridge(manager->firewall, &rules, err) &&
           (!manager->is_begun || firewall_load(manager->firewall, err));
}

bool bridge_make(struct network_manager *manager, struct network *network, struct error *err)
{
    if (!subnet_plan(manager, network, err))
        return false;
    if (network->is_ready && if_nametoindex(network->link))
        return firewall_repair(manager->firewall, err);
    if (network->record.is_internal && firewall_is_absent(manager->firewall))
        return error_set(err, ERROR_UNSUPPORTED, "internal networks need the nft program (package nftables)");
    bool is_again = network->is_ready;
    bool had_link = if_nametoindex(network->link) != 0;
    if (!make_link(network, err))
        return false;
    if (!add_rules(manager, network, err)) {
        firewall_remove_bridge(manager->firewall, network->link, NULL);
        if (!had_link)
            netlink_remove(network->link, NULL);
        return false;
    }
    network->is_ready = true;
    if (is_again)
        take_back_ports(network);
    return true;
}

void bridge_remove(struct network_manager *manager, struct network *network)
{
    bool is_ours;
    if (netlink_find(network->link, &is_ours) && is_ours)
        netlink_remove(network->link, NULL); /* what cannot be removed now is used again by the next start */
    if (network->is_ready)
        firewall_remove_bridge(manager->firewall, network->link, NULL);
    network->is_ready = false;
}
